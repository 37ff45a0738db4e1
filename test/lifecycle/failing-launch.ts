// A launch that fails, and the look at what is left of it: nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { ClocheError } from "../../src/errors.ts";
import { descriptorCount, filesBelow, mountsNaming, processesNaming } from "../support/leftovers.ts";
import { type BringUpOptions, bringUpFake, makeRuntime } from "./fake-runtime.ts";

/** Points this process's user directories at a fresh place. */
export async function useHome(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "cloche-lifecycle-"));
  process.env.XDG_RUNTIME_DIR = path;
  process.env.XDG_STATE_HOME = join(path, "state");
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The first launch opens what the process keeps open, such as the event loop's own descriptors. */
export async function warmUp(t: ExecutionContext): Promise<void> {
  await using runtime = await makeRuntime("exit-early");
  await bringUpFake(runtime, "fake").catch(() => t.log("warmed up"));
}

/** Launches on a monitor that fails, checks that nothing is left, and returns the error. */
export async function failingLaunch(
  t: ExecutionContext,
  behaviour: string,
  options: BringUpOptions = {},
): Promise<ClocheError> {
  await using runtime = await makeRuntime(behaviour);
  const before = descriptorCount();
  const error = await t.throwsAsync<ClocheError>(bringUpFake(runtime, "fake", options));
  expectNothingLeft(t, runtime.root);
  t.true(descriptorCount() <= before + 1, "descriptors are left open");
  if (error === undefined) throw new Error("the launch did not fail");
  return error;
}

/** No process, file or mount of an instance. */
export function expectNothingLeft(t: ExecutionContext, runtimeRoot: string): void {
  const home = process.env.XDG_RUNTIME_DIR ?? "";
  t.deepEqual(processesNaming(runtimeRoot), []);
  t.deepEqual(processesNaming(home), []);
  t.deepEqual(filesBelow(join(home, "cloche")), ["instances", "locks"]);
  t.deepEqual(mountsNaming(runtimeRoot), []);
}
