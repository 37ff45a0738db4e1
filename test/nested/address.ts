// Where the nested machine of this checkout is found: one for each user, size and version of its own sources.
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagePath } from "../../src/paths.ts";
import type { MachineSize } from "./programs.ts";

/** Files of test/nested tell what the owner and the agent understand. */
function version(): string {
  const hash = createHash("sha256");
  const directory = packagePath("test", "nested");
  for (const name of globSync("*.{ts,sh,txt}", { cwd: directory }).sort())
    hash.update(readFileSync(join(directory, name)));
  return hash.digest("hex");
}

/** The directory of the machine while it runs; its owner listens on `owner` in it. */
export function machineDirectory({ cpus, memoryMib }: MachineSize): string {
  const key = createHash("sha256")
    .update(JSON.stringify([packagePath(), cpus, memoryMib, version()]))
    .digest("hex");
  const parent = process.env.XDG_RUNTIME_DIR ?? tmpdir();
  return join(parent, `cloche-nested-${process.geteuid?.()}-${key.slice(0, 12)}`);
}

export const ownerSocket = (directory: string): string => join(directory, "owner");
