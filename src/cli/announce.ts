// What is said once an instance runs.
import type { StageTime } from "../instance/timing.ts";
import { type Context, printJson } from "./context.ts";
import { timingRows } from "./describe-instance.ts";

export interface ReadyFacts {
  readonly instance: string;
  /** The supervisor's. */
  readonly pid: number;
  readonly monitor: string;
  readonly accelerator: string;
  readonly reason: string;
  readonly timings: readonly StageTime[];
}

/** The monitor where it is the weaker choice, and with the times where they were asked for. */
export async function announce(context: Context, facts: ReadyFacts, hasTiming: boolean): Promise<void> {
  if (context.isJson) {
    const { instance, pid, monitor, accelerator, reason, timings } = facts;
    return printJson(context, { event: "ready", instance, pid, monitor, accelerator, reason, timings });
  }
  if (hasTiming || facts.accelerator !== "KVM") await context.stderr.print(`${facts.instance}: ${facts.reason}`);
  if (hasTiming) await context.stderr.print(timingRows(facts.timings).join("\n"));
}
