// cloche doctor: whether this machine can run instances, found by trying.
import { printJson } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defineCommand } from "../model.ts";
import type { Format } from "../style.ts";

const colours: Readonly<Record<string, Format>> = { ok: "green", warn: "yellow", fail: "red" };

export const doctor = defineCommand({
  name: "doctor",
  summary: "Check by trying whether this machine can run instances",
  arguments: [],
  options: {},
  json: "an array: name, verdict (ok, warn, fail), text, hint",
  examples: [],
  async run(context) {
    const { examine } = await import("../../doctor/examine.ts");
    const findings = await examine();
    const isFailed = findings.some(({ verdict }) => verdict === "fail");
    if (context.isJson) await printJson(context, findings);
    else
      for (const { name, verdict, text, hint } of findings) {
        const mark = context.style(colours[verdict] ?? "dim", verdict.padEnd(5));
        await context.stdout.print(`${mark} ${context.style("bold", name)}: ${text}`);
        if (hint !== undefined && verdict !== "ok")
          await context.stdout.print(`      ${context.style("cyan", "hint:")} ${hint}`);
      }
    return isFailed ? exitStatus.failure : exitStatus.success;
  },
});
