import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { layOut } from "../../src/instance/directory.ts";
import { logPath } from "../../src/log.ts";
import type { MonitorName } from "../../src/vmm/contract.ts";
import { expectNothingLeft, failingLaunch, useHome, warmUp } from "./failing-launch.ts";
import { playAgent } from "./fake-agent.ts";
import { bringUpFake, makeRuntime } from "./fake-runtime.ts";

const home = await useHome();
test.after.always(() => home.remove());
test.before(warmUp);

for (const monitor of ["cloud-hypervisor", "crosvm"] as const) {
  test.serial(`a ${monitor} that exits at once is named with its last words`, async (t) => {
    const error = await failingLaunch(t, "exit-early", { monitor });
    t.is(error.code, "monitor-failed");
    t.regex(error.message, new RegExp(`^${monitor} ended with status 1: .*/dev/kvm`));
  });

  test.serial(`a ${monitor} that crashes is named with its signal`, async (t) => {
    const error = await failingLaunch(t, "killed", { monitor });
    t.is(error.code, "monitor-failed");
    t.regex(error.message, new RegExp(`^${monitor} ended (by SIGSEGV|with status 139)`));
  });

  test.serial(`a guest on ${monitor} that never says hello is given up at the deadline`, async (t) => {
    const error = await failingLaunch(t, "silent-guest", { monitor, helloTimeoutMs: 500 });
    t.like(error, { code: "agent-timeout", stage: "boot" });
  });

  for (const afterMs of [0, 4, 32, 128, 256]) {
    test.serial(`giving up on ${monitor} after ${afterMs} ms leaves nothing`, async (t) => {
      const signal = AbortSignal.timeout(afterMs);
      const error = await failingLaunch(t, "silent-guest", { monitor, signal, helloTimeoutMs: 60_000 });
      t.like(error, { code: "interrupted" });
    });
  }
}

for (const behaviour of ["bad-events", "flood-of-junk"]) {
  test.serial(`cloud-hypervisor with ${behaviour} has broken the protocol`, async (t) => {
    t.like(await failingLaunch(t, behaviour, { monitor: "cloud-hypervisor" }), { code: "protocol", stage: "monitor" });
  });
}

test.serial("a cloud-hypervisor that closes its events has failed", async (t) => {
  const error = await failingLaunch(t, "closed-events", { monitor: "cloud-hypervisor" });
  t.like(error, { code: "monitor-failed", stage: "monitor", message: "cloud-hypervisor closed its events" });
});

test.serial("a cloud-hypervisor that exits after its boot has failed", async (t) => {
  const error = await failingLaunch(t, "exit-after-boot", { monitor: "cloud-hypervisor" });
  t.like(error, { code: "monitor-failed", stage: "boot", message: "cloud-hypervisor ended with status 3" });
});

test.serial("a flood of events changes nothing", async (t) => {
  const before = process.memoryUsage().rss;
  const options = { monitor: "cloud-hypervisor", helloTimeoutMs: 1_500 } as const;
  t.like(await failingLaunch(t, "flood-of-events", options), { code: "agent-timeout" });
  t.true(process.memoryUsage().rss - before < 200 * 2 ** 20);
});

test.serial("a guest that restarts has ended: cloud-hypervisor would boot it again", async (t) => {
  const error = await failingLaunch(t, "restart", { monitor: "cloud-hypervisor", helloTimeoutMs: 20_000 });
  t.like(error, { code: "monitor-failed", message: "the guest restarted" });
});

test.serial("a guest that restarts because its kernel gave up is told by the kernel's line", async (t) => {
  const error = await failingLaunch(t, "panic", { monitor: "cloud-hypervisor", helloTimeoutMs: 20_000 });
  t.like(error, { code: "kernel-panic" });
  t.regex(error.message, /Unable to mount root fs/);
});

/** Brings an instance up whose guest is ready, and ends it with a look at what is left. */
async function bringUpReady(t: ExecutionContext, behaviour: string, monitor: MonitorName) {
  const runtime = await makeRuntime(behaviour);
  const [instance, agent] = await Promise.all([bringUpFake(runtime, "fake", { monitor }), playAgent("fake")]);
  const end = async () => {
    await instance.stop(0);
    agent.destroy();
    expectNothingLeft(t, runtime.root);
    await runtime[Symbol.asyncDispose]();
  };
  return { instance, [Symbol.asyncDispose]: end };
}

test.serial("a running instance ends when its guest restarts", async (t) => {
  await using ready = await bringUpReady(t, "restart-on-demand", "cloud-hypervisor");
  const { instance } = ready;
  await writeFile(join(layOut("fake").monitor, "restart"), "");
  t.like(await t.throwsAsync(instance.failed), { code: "monitor-failed", message: "the guest restarted" });
});

test.serial("commands to crosvm run in a jail of their own, with its control socket", async (t) => {
  await using ready = await bringUpReady(t, "silent-guest", "crosvm");
  const { instance } = ready;
  await instance.monitor.pause();
  await instance.monitor.resume();
  const log = await readFile(logPath("fake"), "utf8");
  const said = log.split("\n").flatMap((line) => (line.includes('"crosvm-command"') ? [JSON.parse(line).message] : []));
  t.deepEqual(said, ["suspend /run/monitor/control", "resume /run/monitor/control"]);
  t.is(instance.monitor.snapshots, undefined);
});

test.serial("a command that crosvm refuses fails with its words, and the instance lives on", async (t) => {
  await using ready = await bringUpReady(t, "refuses-commands", "crosvm");
  const { instance } = ready;
  const error = await t.throwsAsync(instance.monitor.pause());
  t.like(error, { code: "monitor-failed" });
  t.regex(error?.message ?? "", /crosvm-command ended with status 1: .*failed to suspend/);
  await instance.monitor.resume();
});
