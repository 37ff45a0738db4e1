// The directory of one running instance, held by a lock for as long as its supervisor, or who cleans up after it, lives.
import { closeSync, fstatSync } from "node:fs";
import { mkdir, readdir, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lockFile } from "../../native/bindings/index.ts";
import { ClocheError } from "../errors.ts";
import { runtimeDirectory } from "../paths.ts";

export interface InstanceDirectory {
  readonly path: string;
  /** What helpers see of it, each only the parts it works with. */
  readonly link: string;
  readonly display: string;
  readonly gpu: string;
  readonly monitor: string;
  readonly files: string;
  readonly network: string;
  /** The descriptor that holds the lock; whoever inherits it holds the lock too. */
  readonly lock: number;
  readonly lockPath: string;
}

export const instancesDirectory = (): string => join(runtimeDirectory(), "instances");
export const instancePath = (id: string): string => join(instancesDirectory(), id);
const lockPathOf = (id: string): string => join(runtimeDirectory(), "locks", id);

/** The paths of an instance's directory; nothing is made. */
export function layOut(id: string): Omit<InstanceDirectory, "lock"> {
  const path = instancePath(id);
  return {
    path,
    link: join(path, "link"),
    display: join(path, "display"),
    gpu: join(path, "gpu"),
    monitor: join(path, "monitor"),
    files: join(path, "files"),
    network: join(path, "net"),
    lockPath: lockPathOf(id),
  };
}

/** Makes the directory anew. Throws `already-running` while another supervisor has it. */
export async function createDirectory(id: string): Promise<InstanceDirectory> {
  const { lockPath, ...parts } = layOut(id);
  const failed = (cause: unknown) =>
    new ClocheError("state", `the instance's directory ${parts.path} cannot be made`, { cause });
  await mkdir(dirname(lockPath), { recursive: true, mode: 0o700 }).catch((cause) => Promise.reject(failed(cause)));
  const directory = { ...parts, lockPath, lock: await takeLock(id, lockPath) };
  try {
    // Whatever is there was left by a supervisor that was killed together with its janitor.
    await rm(parts.path, { recursive: true, force: true });
    for (const part of Object.values(parts)) await mkdir(part, { recursive: true, mode: 0o700 });
    return directory;
  } catch (cause) {
    await removeDirectory(directory);
    throw failed(cause);
  }
}

/** Removes all of it and gives the lock back. */
export async function removeDirectory(directory: InstanceDirectory): Promise<void> {
  await rm(directory.path, { recursive: true, force: true });
  await unlink(directory.lockPath).catch(() => {});
  closeSync(directory.lock);
}

/** Removes what supervisors left that were killed together with their janitors. */
export async function sweepDirectories(): Promise<void> {
  for (const id of await readdir(instancesDirectory()).catch(() => [])) {
    const lockPath = lockPathOf(id);
    const lock = await tryLock(lockPath);
    if (lock === null) continue;
    await rm(instancePath(id), { recursive: true, force: true });
    await unlink(lockPath).catch(() => {});
    closeSync(lock);
  }
}

async function takeLock(id: string, path: string): Promise<number> {
  const lock = await tryLock(path);
  if (lock !== null) return lock;
  throw new ClocheError("already-running", `${id} is running`, {
    hint: `A second one beside it: cloche run ${id.split("@")[0]}@NAME. A command in this one: cloche exec ${id} -- COMMAND.`,
  });
}

/** The descriptor that holds the lock, or null while another holds it. */
async function tryLock(path: string): Promise<number | null> {
  for (;;) {
    const lock = await lockFile(path, false);
    if (lock === null) return null;
    // The last holder may have unlinked the file between our open and our lock: then it locks nothing.
    const current = await stat(path).catch(() => undefined);
    if (current !== undefined && current.ino === fstatSync(lock).ino) return lock;
    closeSync(lock);
  }
}
