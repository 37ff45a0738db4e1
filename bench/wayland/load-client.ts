// The load client, native/load: built like a native part, but for this bench alone.
import { join } from "node:path";
import { buildPart } from "../../native/build/build-part.ts";
import { cacheDirectory } from "../../native/build/cache.ts";
import { buildStaticProgram, identifyRust, staticRecipe } from "../../native/build/cargo.ts";
import type { Part } from "../../native/build/part.ts";
import { packagePath } from "../../src/paths.ts";

const program = "cloche-load";

const part: Part = {
  name: "load",
  output: program,
  sources: ["native/Cargo.toml", "native/Cargo.lock", "native/load"],
  recipe: staticRecipe,
  identifyCompiler: identifyRust,
  build: (path, directories) => buildStaticProgram(program, path, directories),
};

/** Puts it into `directory`, and returns its path. */
export async function buildLoadClient(directory: string, onBuild: () => void): Promise<string> {
  await buildPart(part, { checkout: packagePath(), dist: directory, cache: cacheDirectory() }, onBuild);
  return join(directory, program);
}

/** What the client prints of round trips. Nanoseconds. */
export interface SyncResult {
  readonly count: number;
  readonly minNs: number;
  readonly medianNs: number;
  readonly meanNs: number;
}

/** What the client prints of frames. */
export interface FramesResult {
  readonly frames: number;
  readonly seconds: number;
  /** The client's own, by the clock of the kernel that it runs on. */
  readonly cpuSeconds: number;
  /** Damaged pixels of each frame. */
  readonly framePixels: number;
  /** Pixels that were new in the buffers of all frames, those before the measured ones with them: of a new buffer, all. */
  readonly allPixels: number;
}
