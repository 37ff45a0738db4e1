// A lock between processes: held while a function runs, given up by the kernel when its holder dies.
import { open } from "node:fs/promises";
import { ClocheError } from "../errors.ts";

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Several may hold it so at a time, but none exclusively. */
  readonly shared?: boolean;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
}

/** Runs `work` while holding the lock file `path`, which is made where it does not exist. Throws `interrupted`, `missing-program`. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await (await open(path, "a", 0o644)).close();
  const mode = options.shared ? "-s" : "-x";
  const release = (await acquire(path, [mode, "-n"], options.signal)) ?? (await wait(path, mode, options));
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Runs `work` where nobody holds the lock in any way, and says whether it did. */
export async function ifUnlocked(path: string, work: () => Promise<void>): Promise<boolean> {
  await (await open(path, "a", 0o644)).close();
  const release = await acquire(path, ["-x", "-n"]);
  if (release === undefined) return false;
  try {
    await work();
    return true;
  } finally {
    await release();
  }
}

async function wait(path: string, mode: string, options: LockOptions): Promise<() => Promise<void>> {
  options.onWait?.();
  const release = await acquire(path, [mode], options.signal);
  if (release === undefined) throw new ClocheError("state", `${path} cannot be locked`);
  return release;
}

/** flock(1) holds the lock until its standard input ends: when it is released, or when this process dies. */
async function acquire(path: string, flags: readonly string[], signal?: AbortSignal) {
  // Loaded here: a launch that has nothing to build does not wait for it.
  const { execa } = await import("execa");
  const holder = execa("flock", [...flags, "-E", "75", path, "sh", "-c", "echo held; cat >/dev/null"], {
    stdin: "pipe",
    // Not of the terminal's group: on Ctrl-C the lock is held until the builder has cleaned up.
    detached: true,
    reject: false,
    ...(signal && { cancelSignal: signal }),
  });
  const held = await Promise.race([
    new Promise<true>((resolve) => holder.stdout.once("data", () => resolve(true))),
    holder.then((result) => result),
  ]);
  if (held === true) {
    return async () => {
      holder.stdin.end();
      await holder;
    };
  }
  if (held.isCanceled) throw new ClocheError("interrupted", "interrupted while waiting for another build");
  if (held.code === "ENOENT") {
    throw new ClocheError("missing-program", "flock is not on PATH", { hint: "It belongs to util-linux." });
  }
  if (held.exitCode === 75) return undefined;
  throw new ClocheError("state", `${path} cannot be locked`, { cause: new Error(held.stderr) });
}
