// A guest boots on the monitor that was asked for, and its agent says hello.
import { readFile } from "node:fs/promises";
import type { Subject } from "./subject.ts";

export function declareBoot({ test, monitor, first }: Subject): void {
  test("a guest boots, and inspect says on what monitor", async (t) => {
    const state = await (await first()).state();
    t.like(state, { id: "foot@first", phase: "running", monitor: monitor.vmm });
    t.true(state.accelerator.startsWith(monitor.accelerator), state.accelerator);
    t.true(state.processes.some(({ name }) => name === monitor.vmm));
    t.deepEqual(
      state.timings.map(({ stage }) => stage),
      ["prepare", "helpers", "monitor", "boot", "configure"],
    );
    const ms = Object.fromEntries(state.timings.map((timing) => [timing.stage, timing.ms]));
    t.log(
      `ms: ${Object.entries(ms)
        .map(([stage, time]) => `${stage} ${time}`)
        .join(", ")}`,
    );
  });

  test("the guest has a kernel, a name and a clock of its own, and the agent is process 1", async (t) => {
    const guest = await first();
    const script =
      "uname -r; cat /proc/sys/kernel/random/boot_id; cat /proc/sys/kernel/hostname; date +%s; cat /etc/machine-id; readlink /proc/1/exe; nproc";
    const before = Date.now();
    const [kernel = "", boot, hostname, seconds, machineId = "", init, cpus] = (
      await guest.shell(script, "root")
    ).split("\n");
    t.regex(kernel, /^6\.12\./);
    t.not(boot, (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim());
    t.is(hostname, "foot-first");
    t.true(Number(seconds) >= before / 1000 - 10 && Number(seconds) <= Date.now() / 1000 + 10, "its clock is wrong");
    t.regex(machineId, /^[0-9a-f]{32}$/);
    t.is(init, "/init (deleted)");
    t.is(cpus, "1");
  });
}
