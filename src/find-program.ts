// Looks a program up on PATH, as a shell would.
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Absolute path of the first executable file of that name, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    if (!directory.startsWith("/")) continue;
    const path = join(directory, name);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}
