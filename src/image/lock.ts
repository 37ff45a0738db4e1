// A lock between processes: held while a function runs, given up by the kernel when its holder dies.
import { open } from "node:fs/promises";
import { execa } from "execa";
import { ClocheError } from "../errors.ts";

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
}

/** Runs `work` while holding the lock file `path`, which is made where it does not exist. Throws `interrupted`, `missing-program`. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await (await open(path, "a", 0o644)).close();
  const release = (await acquire(path, ["-n"], options.signal)) ?? (await wait(path, options));
  try {
    return await work();
  } finally {
    await release();
  }
}

async function wait(path: string, options: LockOptions): Promise<() => Promise<void>> {
  options.onWait?.();
  const release = await acquire(path, [], options.signal);
  if (release === undefined) throw new ClocheError("state", `${path} cannot be locked`);
  return release;
}

/** flock(1) holds the lock until its standard input ends: when it is released, or when this process dies. */
async function acquire(path: string, flags: readonly string[], signal?: AbortSignal) {
  const holder = execa("flock", [...flags, "-E", "75", path, "sh", "-c", "echo held; cat >/dev/null"], {
    stdin: "pipe",
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
