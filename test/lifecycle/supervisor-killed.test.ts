import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { packagePath } from "../../src/paths.ts";
import { filesBelow, processesNaming } from "../support/leftovers.ts";
import { bringUpFake, makeRuntime } from "./fake-runtime.ts";

const home = await mkdtemp(join(tmpdir(), "cloche-killed-"));
const environment = { ...process.env, XDG_RUNTIME_DIR: home, XDG_STATE_HOME: join(home, "state") };
Object.assign(process.env, environment);
test.after.always(() => rm(home, { recursive: true, force: true }));

/** A supervisor in a process of its own, and a wait for the moment when it has all helpers and a monitor. */
function startSupervisor(runtimeRoot: string, id: string): ChildProcess {
  return spawn(process.execPath, [packagePath("test", "lifecycle", "fixtures", "supervisor.ts"), runtimeRoot, id], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Resolves when `isTrue` holds; looks whenever a file below `home` changes and ten times a second, for at most `timeoutMs`. */
async function eventually(isTrue: () => boolean, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const look = () => isTrue() && resolve(true);
  const watcher = watch(home, { recursive: true }, look);
  const ticks = setInterval(look, 100);
  const timer = setTimeout(() => resolve(isTrue()), timeoutMs);
  look();
  const result = await promise;
  watcher.close();
  clearInterval(ticks);
  clearTimeout(timer);
  return result;
}

for (const id of ["fake", "fake@work"]) {
  test.serial(
    `when the supervisor of ${id} is killed, all of it is gone in two seconds and the next launch works`,
    async (t) => {
      await using runtime = await makeRuntime("silent-guest");
      await mkdir(join(home, "cloche"), { recursive: true });
      const supervisor = startSupervisor(runtime.root, id);
      const isUp = () =>
        processesNaming(runtime.root).some(({ commandLine }) => commandLine.includes("qemu-system-x86_64"));
      t.true(await eventually(isUp, 10_000), "the monitor did not come up");

      supervisor.kill("SIGKILL");
      await once(supervisor, "exit");
      t.true(await eventually(() => processesNaming(runtime.root).length === 0, 2_000), "processes are left");
      t.true(
        await eventually(() => filesBelow(join(home, "cloche")).join() === "instances,locks", 2_000),
        "files are left",
      );

      const error = await t.throwsAsync(bringUpFake(runtime, id, { helloTimeoutMs: 300 }));
      t.like(error, { code: "agent-timeout" });
    },
  );
}

test.serial("an instance is not started twice, and its first supervisor is not disturbed", async (t) => {
  await using runtime = await makeRuntime("silent-guest");
  const supervisor = startSupervisor(runtime.root, "fake");
  t.true(
    await eventually(
      () => processesNaming(runtime.root).some(({ commandLine }) => commandLine.includes("qemu")),
      10_000,
    ),
  );
  t.like(await t.throwsAsync(bringUpFake(runtime, "fake")), { code: "already-running" });
  t.is(supervisor.exitCode, null);
  supervisor.kill("SIGKILL");
  await once(supervisor, "exit");
  t.true(await eventually(() => processesNaming(runtime.root).length === 0, 2_000));
});
