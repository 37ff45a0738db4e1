// Ends running instances: asks each supervisor, and waits until its process is gone.
import { constants } from "node:os";
import * as bindings from "../../native/bindings/index.ts";
import * as fdpass from "../../native/fdpass/index.ts";
import { parseInstanceName } from "../app/instance-name.ts";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { askInstance } from "../instance/control-socket.ts";
import { listStates, requireState } from "../instance/state.ts";
import { type Context, printJson } from "./context.ts";
import { errorDocument, reportError } from "./error-report.ts";
import { exitStatus } from "./exit-status.ts";
import { styleFor } from "./style.ts";

export interface EndRequest {
  readonly names: readonly string[];
  readonly all: boolean;
  /** Milliseconds; 0 is at once. */
  readonly graceMs: number;
}

/** What a supervisor gets beyond the grace, and what one gets that is killed. */
const beyondGraceMs = scaled(10_000);
const afterKillMs = 5_000;

export async function endInstances(context: Context, { names, all, graceMs }: EndRequest): Promise<number> {
  if (all === names.length > 0)
    throw new ClocheError("usage", "name the instances to end, or say --all", { hint: "cloche ps lists them." });
  const ids = all ? (await listStates()).map(({ id }) => id) : names.map((name) => parseInstanceName(name).id);
  const results = await Promise.all([...new Set(ids)].map((id) => endOne(context, id, graceMs)));
  if (context.isJson) {
    const document = ({ id, error }: EndResult) => ({
      instance: id,
      stopped: error === undefined,
      error: error === undefined ? null : errorDocument(error).error,
    });
    await printJson(context, results.map(document));
  }
  return results.some(({ error }) => error !== undefined) ? exitStatus.failure : exitStatus.success;
}

interface EndResult {
  readonly id: string;
  readonly error?: unknown;
}

async function endOne(context: Context, id: string, graceMs: number): Promise<EndResult> {
  const step = context.progress.step(`Stopping ${id}`);
  try {
    await endInstance(id, graceMs);
    step.done();
    if (!context.isJson) await context.stdout.print(id);
    return { id };
  } catch (error) {
    step.fail();
    if (!context.isJson) await context.stderr.print(reportError(error, styleFor(process.stderr, context.environment)));
    return { id, error };
  }
}

/** Resolves when its supervisor has gone. Throws `unknown-instance`, or `state` when it does not end in time. */
async function endInstance(id: string, graceMs: number): Promise<void> {
  const { pid } = await requireState(id);
  const supervisor = bindings.openPidfd(pid);
  try {
    // Read again: the number may have become another process's before the descriptor was there.
    await requireState(id);
    await ask(id, graceMs, supervisor);
    if (await hasEnded(supervisor, graceMs + beyondGraceMs)) return;
    if (graceMs === 0) bindings.signalPidfd(supervisor, constants.signals.SIGKILL);
    if (graceMs === 0 && (await hasEnded(supervisor, afterKillMs))) return;
    throw new ClocheError("state", `${id} has not ended in time`, { hint: `End it at once: cloche kill ${id}.` });
  } finally {
    fdpass.close(supervisor);
  }
}

/** One that starts has no socket yet, and one that hangs does not answer: both get a signal. */
async function ask(id: string, graceMs: number, supervisor: number): Promise<void> {
  try {
    await askInstance(id, { type: "stop", graceMs });
  } catch {
    bindings.signalPidfd(supervisor, graceMs === 0 ? constants.signals.SIGKILL : constants.signals.SIGTERM);
  }
}

async function hasEnded(pidfd: number, timeoutMs: number): Promise<boolean> {
  return bindings.waitPidfd(pidfd, AbortSignal.timeout(timeoutMs)).then(
    () => true,
    () => false,
  );
}
