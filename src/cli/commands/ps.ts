// cloche ps: the instances that run.
import { formatMib, formatUptime } from "../amounts.ts";
import { printJson } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defineCommand } from "../model.ts";
import { renderTable } from "../table.ts";

const heading = ["INSTANCE", "APP", "MONITOR", "ACCEL", "CPUS", "MEMORY", "NET", "PID", "UPTIME"];

export const ps = defineCommand({
  name: "ps",
  summary: "List the instances that run",
  arguments: [],
  options: {},
  json: "an array of what inspect --json prints",
  examples: [],
  async run(context) {
    const { listStates } = await import("../../instance/state.ts");
    const states = await listStates();
    if (context.isJson) {
      await printJson(context, states);
      return exitStatus.success;
    }
    const rows = states.map((state) => [
      state.id,
      state.app,
      state.monitor,
      state.accelerator.replace(/ \(.*\)$/, ""),
      String(state.machine.cpus),
      formatMib(state.machine.memoryMib),
      state.network,
      String(state.pid),
      state.phase === "running" ? formatUptime(Date.now() - Date.parse(state.startedAt)) : state.phase,
    ]);
    await context.stdout.print(renderTable([heading.map((word) => context.style("bold", word)), ...rows]));
    return exitStatus.success;
  },
});
