// Finished parts by key, kept outside the checkout so that a fresh clone needs no compiler run.
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Part } from "./part.ts";

/** Results of one part that stay: those that were used last. */
const keptResults = 8;

/** `native` in the user's cache directory; root's is the machine's. */
export function cacheDirectory(): string {
  if (process.geteuid?.() === 0) return "/var/cache/cloche/native";
  const cache = process.env.XDG_CACHE_HOME;
  return join(cache?.startsWith("/") ? cache : join(homedir(), ".cache"), "cloche", "native");
}

export const cachedFile = (cache: string, part: Part, key: string): string => join(cache, part.name, key, part.output);

/** Whether the cache has the file. It then counts as used now. */
export async function hasCached(path: string): Promise<boolean> {
  const now = new Date();
  return await utimes(dirname(path), now, now).then(
    () =>
      stat(path).then(
        () => true,
        () => false,
      ),
    () => false,
  );
}

/** Copies a file into place whole: what was there stays as it is for those that have it open. */
export async function publish(from: string, to: string): Promise<void> {
  const temporary = `${to}.${randomUUID()}.new`;
  await mkdir(dirname(to), { recursive: true });
  try {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes the results that were not used for longest. */
export async function prune(cache: string, part: Part): Promise<void> {
  const directory = join(cache, part.name);
  const results = await Promise.all(
    (await readdir(directory)).map(async (key) => ({
      path: join(directory, key),
      used: (await stat(join(directory, key))).mtimeMs,
    })),
  );
  const old = results.sort((a, b) => b.used - a.used).slice(keptResults);
  await Promise.all(old.map(({ path }) => rm(path, { recursive: true, force: true })));
}
