// The one lock of the cache: builds of two checkouts would overwrite each other's intermediate results.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../../src/errors.ts";

/** Waits for the lock and holds it until disposed, or until this process ends. */
export async function lockCache(cache: string): Promise<AsyncDisposable> {
  await mkdir(cache, { recursive: true });
  const file = await open(join(cache, "lock"), "a");
  try {
    // Node cannot lock. The lock belongs to the open file, not to the process that asks for it.
    const [code] = await once(spawn("flock", ["--exclusive", "0"], { stdio: [file.fd, 2, 2] }), "exit");
    if (code !== 0) throw new ClocheError("build-failed", `flock could not lock ${cache}`);
  } catch (cause) {
    await file.close();
    if (cause instanceof ClocheError) throw cause;
    throw new ClocheError("missing-program", "flock is needed to build the native parts", {
      hint: "Install util-linux.",
      cause,
    });
  }
  return { [Symbol.asyncDispose]: () => file.close() };
}
