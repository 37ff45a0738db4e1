// Tests that need the host's document portal, which is a FUSE file system.
import { closeSync, openSync } from "node:fs";
import { messageOf } from "../../../src/errors.ts";
import { needs } from "../../support/require.ts";

function whyNot(): string | undefined {
  try {
    closeSync(openSync("/dev/fuse", "r+"));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Declares them one after another. */
export const { serial } = needs("fuse", whyNot());
