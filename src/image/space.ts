// Room on disk: asked for before work begins, and recognised where a tool ran out of it.
import { statfs } from "node:fs/promises";
import { ClocheError } from "../errors.ts";

const hint = "Make room there, or set CLOCHE_STORE to a directory on another disk.";

export function diskFull(path: string, cause?: unknown): ClocheError {
  return new ClocheError("disk-full", `no space left for ${path}`, { hint, cause });
}

/** Throws `disk-full` where less than `bytes` are free on the file system of `directory`. */
export async function requireSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes) return;
  const mib = (value: number) => `${Math.round(value / 2 ** 20)} MiB`;
  throw new ClocheError("disk-full", `${directory} has ${mib(bavail * bsize)} free, and ${mib(bytes)} are needed`, {
    hint,
  });
}

/** Whether the text of a tool's output, or a system call's error, says that a disk or a quota is exhausted. */
export function saysDiskFull(said: string | undefined): boolean {
  return /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT|not have enough free space/i.test(said ?? "");
}

/** Runs file operations below `path`: running out of space there is `disk-full`. */
export async function guardSpace<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw saysDiskFull(code) ? diskFull(path, error) : error;
  }
}
