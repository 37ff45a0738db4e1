// Brings one part in native/dist up to date: leaves it, takes it from the cache, or builds it.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../../src/errors.ts";
import { cachedFile, hasCached, prune, publish } from "./cache.ts";
import { computeKey } from "./key.ts";
import { lockCache } from "./lock.ts";
import type { Part } from "./part.ts";

export interface BuildPlaces {
  readonly checkout: string;
  readonly dist: string;
  readonly cache: string;
}

export type Outcome = "unchanged" | "cached" | "built";

/** Throws `missing-program` and `build-failed`. `onBuild` is called before a compiler runs. */
export async function buildPart(part: Part, places: BuildPlaces, onBuild: () => void): Promise<Outcome> {
  const key = await computeKey(part, places.checkout);
  const output = join(places.dist, part.output);
  const keyFile = join(places.dist, ".keys", part.name);
  if ((await readFile(keyFile, "utf8").catch(() => "")) === key && (await exists(output))) return "unchanged";

  const cached = cachedFile(places.cache, part, key);
  const outcome = (await hasCached(cached)) ? "cached" : await fill(part, key, places, onBuild);
  await mkdir(join(places.dist, ".keys"), { recursive: true });
  // Without a key while the file changes: an interrupted run is done again.
  await rm(keyFile, { force: true });
  await publish(cached, output);
  await writeFile(keyFile, key);
  return outcome;
}

async function fill(part: Part, key: string, places: BuildPlaces, onBuild: () => void): Promise<Outcome> {
  const cached = cachedFile(places.cache, part, key);
  await using _lock = await lockCache(places.cache);
  // Another build may have made it while this one waited.
  if (await hasCached(cached)) return "cached";
  onBuild();
  const work = await mkdtemp(join(places.cache, "work-"));
  try {
    const result = join(work, part.output);
    await part.build(result, { checkout: places.checkout, intermediate: join(places.cache, "target") });
    if ((await computeKey(part, places.checkout)) !== key) {
      throw new ClocheError("build-failed", "its sources changed while it was built", { hint: "Build it again." });
    }
    await publish(result, cached);
    await prune(places.cache, part);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return "built";
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
