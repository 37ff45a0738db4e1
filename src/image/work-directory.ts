// Directories of a build in progress: gone when it ends in any way, and swept later where its process was killed.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Store, storeDirectory } from "./store.ts";

/** Runs `work` with a new directory below the store's tmp. */
export async function withWorkDirectory<T>(store: Store, work: (directory: string) => Promise<T>): Promise<T> {
  const parent = await storeDirectory(store, "tmp");
  for (const name of await readdir(parent)) {
    // What cannot be removed now is met again by the next build.
    if (!isAlive(name)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
  const directory = join(parent, ownName());
  await mkdir(directory, { mode: 0o755 });
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const sharedPrefix = () => `cloche-${process.geteuid?.() ?? 0}-`;

/**
 * Runs `work` with a new directory in $TMPDIR. A user namespace of subordinate ids builds its root there: it cannot
 * enter a home directory, and what it leaves belongs to those ids.
 */
export async function withSharedWorkDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const remove = (name: string) => removeSubordinate(join(tmpdir(), name));
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(sharedPrefix()) && !isAlive(name.slice(sharedPrefix().length))) await remove(name);
  }
  const name = sharedPrefix() + ownName();
  await mkdir(join(tmpdir(), name), { mode: 0o755 });
  try {
    return await work(join(tmpdir(), name));
  } finally {
    await remove(name);
  }
}

async function removeSubordinate(path: string): Promise<void> {
  // Loaded here: a launch that has nothing to build does not wait for it.
  const { execa } = await import("execa");
  await execa("mmdebstrap", ["--unshare-helper", "find", path, "-mindepth", "1", "-delete"], { reject: false });
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

const ownName = () => `${process.pid}.${startTime(process.pid)}.${randomBytes(4).toString("hex")}`;

function isAlive(name: string): boolean {
  const [pid = "", started] = name.split(".");
  return /^\d+$/.test(pid) && started !== "" && startTime(Number(pid)) === started;
}

/** Clock ticks from boot to the process's start, which tells it from a later one of the same number; "" where it is gone. */
function startTime(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
