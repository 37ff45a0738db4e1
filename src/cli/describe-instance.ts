// A running instance in readable form.
import { printable } from "../instance/console.ts";
import type { InstanceState } from "../instance/state.ts";
import { formatMib, formatMs, formatUptime } from "./amounts.ts";
import type { Style } from "./style.ts";
import { renderTable } from "./table.ts";

export function describeInstance(state: InstanceState, nowMs: number, style: Style): string {
  const { machine, timings, processes } = state;
  const rows = [
    ["instance", style("bold", state.id)],
    ["application", state.app],
    ["phase", `${state.phase}, since ${state.startedAt} (${formatUptime(nowMs - Date.parse(state.startedAt))})`],
    ["monitor", state.monitor],
    ["chosen", state.reason],
    ["accelerator", state.accelerator],
    ["machine", `${machine.cpus} CPUs, ${formatMib(machine.memoryMib)} of memory`],
    ["image", state.image],
    ["windows", state.windows ? "through the lens" : "none"],
    ...(state.renderer === null ? [] : [["renderer", printable(state.renderer).replaceAll("\n", " ")]]),
    ["portals", state.portals === null ? "the host's own" : `none: ${state.portals}`],
    ...(state.inUse.length === 0 ? [] : [["in use", style("bold", state.inUse.join(", "))]]),
    ["network", state.network],
    ...block(
      "shares",
      machine.shares.map(
        ({ mountPoint, readOnly, directory }) => `${mountPoint} ${readOnly ? "ro" : "rw"} ${directory}`,
      ),
    ),
    ...block("processes", [`${state.pid} supervisor`, ...processes.map(({ pid, name }) => `${pid} ${name}`)]),
    ...block("start", timingRows(timings)),
  ];
  return renderTable(rows.map(([label = "", text = ""]) => [style("dim", label), text]));
}

/** Stages and what they took, with the sum. */
export function timingRows(timings: InstanceState["timings"]): string[] {
  if (timings.length === 0) return [];
  const total = timings.reduce((sum, { ms }) => sum + ms, 0);
  return renderTable([...timings, { stage: "total", ms: total }].map(({ stage, ms }) => [stage, formatMs(ms)])).split(
    "\n",
  );
}

function block(label: string, lines: readonly string[]): string[][] {
  return lines.length === 0 ? [[label, "none"]] : lines.map((line, index) => [index === 0 ? label : "", line]);
}
