// org.freedesktop.portal.Secret: a secret of the instance's own, made on this machine; the host's keyring is not involved.
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dataDirectory } from "../../src/paths.ts";
import type { Portal } from "../portal.ts";
import { file, options, text } from "../readers.ts";
import type { FileIndex } from "../wire.ts";

const secretBytes = 64;

export const secret: Portal = {
  name: "org.freedesktop.portal.Secret",
  object: "desktop",
  version: 1,
  permission: "secret",
  consent: "free",
  wants: "have a secret of its own",
  isOwn: true,
  methods: {
    RetrieveSecret: {
      kind: "request",
      args: [file, options({ token: text(4096) })],
      async run(context, [index]) {
        context.write((index as FileIndex).index, await secretOf(context.instance));
        return { code: 0, results: {} };
      },
    },
  },
};

/** The same for as long as the user keeps it. */
async function secretOf(instance: string): Promise<Buffer> {
  const path = join(dataDirectory(), "secrets", instance);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const made = await open(path, "wx", 0o600).catch(() => undefined);
  if (made === undefined) return readFile(path);
  const bytes = randomBytes(secretBytes);
  try {
    await made.writeFile(bytes);
    await made.sync();
  } finally {
    await made.close();
  }
  return bytes;
}
