import { join } from "node:path";
import test from "ava";
import type { ClocheError } from "../../src/errors.ts";
import { filesBelow, mountsNaming, processesNaming } from "../support/leftovers.ts";
import { launchGuest, shellIn, startIn, useFreshDirectories } from "./guest.ts";

const directories = await useFreshDirectories();
test.after.always(() => directories.remove());

const leftovers = () => ({
  processes: processesNaming(directories.path),
  files: filesBelow(join(directories.path, "cloche")),
  mounts: mountsNaming(directories.path),
});
const nothing = { processes: [], files: ["instances", "locks"], mounts: [] };

test.serial("a kill takes no time, and nothing is left", async (t) => {
  const guest = await launchGuest("foot");
  const start = performance.now();
  await guest.stop(0);
  t.true(performance.now() - start < 2000);
  t.deepEqual(leftovers(), nothing);
});

for (const isTemporary of [true, false]) {
  const home = isTemporary ? "without" : "with";
  test.serial(`a kernel panic of an instance ${home} a home is told with the console's lines round it`, async (t) => {
    await using guest = await launchGuest("foot", { isTemporary });
    const { session } = await startIn(guest, ["sh", "-c", "echo c > /proc/sysrq-trigger"], { user: "root" });
    session.exited.catch(() => {});
    const error = await t.throwsAsync<ClocheError>(guest.failed);
    t.like(error, { code: "kernel-panic", stage: "run" });
    t.regex(error?.message ?? "", /sysrq/i);
    t.true(error?.console.some((line) => line.includes("Kernel panic")));
    await guest.stop(0);
    t.deepEqual(leftovers(), nothing);
  });
}

test.serial("a power-off from inside an instance with a home is the monitor's end, not a helper's", async (t) => {
  await using guest = await launchGuest("foot", { isTemporary: false });
  const { session } = await startIn(guest, ["sh", "-c", "echo o > /proc/sysrq-trigger"], { user: "root" });
  session.exited.catch(() => {});
  t.like(await t.throwsAsync<ClocheError>(guest.failed), { code: "monitor-failed", stage: "run" });
});

for (const name of ["vsock", "share-home"]) {
  test.serial(`when ${name} is killed the instance has failed, and nothing is left`, async (t) => {
    await using guest = await launchGuest("foot", { isTemporary: false });
    const victim = guest.state.processes.find((process) => process.name === name);
    process.kill(victim?.pid ?? 0, "SIGKILL");
    t.regex((await t.throwsAsync(guest.failed))?.message ?? "", /ended by SIGKILL|link/);
    await guest.stop(0);
    t.deepEqual(leftovers(), nothing);
  });
}

test.serial("a guest that powers off by itself has ended, and nothing is left", async (t) => {
  await using guest = await launchGuest("foot");
  await shellIn(guest, "kill -9 -1; true", "root").catch(() => {});
  t.is(guest.state.phase, "running");
  await guest.stop(5000);
  t.deepEqual(leftovers(), nothing);
});
