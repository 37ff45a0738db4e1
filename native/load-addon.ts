// Loads a native addon from native/dist, or from where CLOCHE_NATIVE_DIR says.
import { createRequire } from "node:module";
import { join } from "node:path";
import { ClocheError } from "../src/errors.ts";
import { nativeDirectory } from "../src/paths.ts";

const require = createRequire(import.meta.url);
const loaded = new Map<string, unknown>();

/** What the addon exports; the caller vouches for its type. Throws `missing-program` where it has not been built. */
export function loadAddon<Addon>(name: string): Addon {
  const path = join(nativeDirectory(), `${name}.node`);
  let addon = loaded.get(path);
  if (addon === undefined) {
    try {
      addon = require(path);
    } catch (cause) {
      throw new ClocheError("missing-program", `the native addon ${path} cannot be loaded`, {
        hint: "Build it: npm run build",
        cause,
      });
    }
    loaded.set(path, addon);
  }
  return addon as Addon;
}
