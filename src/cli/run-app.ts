// Runs an application: launch, its one session, and the end, with the application's exit status.
import { findApp } from "../app/catalogue.ts";
import { parseInstanceName } from "../app/instance-name.ts";
import { ClocheError } from "../errors.ts";
import { type LiveInstance, launch } from "../instance/launch.ts";
import type { LaunchRequest } from "../instance/request.ts";
import { announce, type ReadyFacts } from "./announce.ts";
import { AppOutput } from "./app-output.ts";
import type { RunOptions } from "./commands/run.ts";
import { type Context, printJson } from "./context.ts";
import { statusOfExit, statusOfSignal } from "./exit-status.ts";
import type { Parsed } from "./model.ts";
import { awaitEnd, type End, endWithin } from "./run-end.ts";

export interface RunRequest {
  /** APP[@INSTANCE] */
  readonly name: string;
  /** Added to the command. */
  readonly trailing: readonly string[];
  readonly isTemporary: boolean;
  readonly hasWindows: boolean;
  readonly vmm: string;
  readonly withoutCrosvmSandbox: boolean;
  readonly share: readonly string[];
  readonly net: LaunchRequest["network"];
  readonly cpus: number | undefined;
  readonly memory: number | undefined;
  readonly env: readonly (readonly [string, string])[];
  readonly clipboard: LaunchRequest["clipboard"];
  readonly command: string | undefined;
  readonly timing: boolean;
}

/** What a command line asks for. */
export function readRunRequest({ arguments: words, trailing, options }: Parsed<RunOptions>): RunRequest {
  const { temp, "no-windows": hasNoWindows, "crosvm-disable-sandbox": withoutCrosvmSandbox, ...rest } = options;
  const [name = ""] = words;
  return { ...rest, name, trailing, isTemporary: temp, hasWindows: !hasNoWindows, withoutCrosvmSandbox };
}

/** Milliseconds that an instance gets to end by itself. */
const graceMs = 3_000;

export async function runApp(
  context: Context,
  request: RunRequest,
  onReady: (facts: ReadyFacts) => Promise<void> = (facts) => announce(context, facts, request.timing),
): Promise<number> {
  const name = parseInstanceName(request.name);
  const manifest = await findApp(name.app);
  const program = request.command === undefined ? manifest.command : [request.command];
  const instance = await start(context, {
    name,
    manifest,
    isTemporary: request.isTemporary,
    monitor: request.vmm,
    withoutCrosvmSandbox: request.withoutCrosvmSandbox,
    shares: request.share,
    network: request.net,
    cpus: request.cpus,
    memoryMib: request.memory,
    hasWindows: request.hasWindows,
    clipboard: request.clipboard,
  });
  instance.failed.catch(() => {});
  try {
    const { state, timings } = instance;
    await onReady({ instance: state.id, ...state, timings });
    const environment = Object.fromEntries(request.env);
    return await runCommand(context, instance, { argv: [...program, ...request.trailing], environment });
  } finally {
    await instance.stop(graceMs);
  }
}

async function start(context: Context, request: LaunchRequest): Promise<LiveInstance> {
  const { signal, received } = context.interrupts();
  const step = context.progress.step(`Starting ${request.name.id}`);
  try {
    if (received !== undefined) throw new ClocheError("interrupted", "interrupted");
    const instance = await launch(request, context.progress, signal, ({ reason }) => step.update(reason));
    step.done();
    return instance;
  } catch (error) {
    step.fail();
    throw signal.aborted ? new ClocheError("interrupted", "interrupted") : error;
  }
}

interface AppCommand {
  readonly argv: string[];
  readonly environment: Record<string, string>;
}

async function runCommand(context: Context, instance: LiveInstance, command: AppCommand): Promise<number> {
  const output = new AppOutput(context, (source, line) => instance.writeLog(source, line));
  const opening = instance.openSession({ ...command, cwd: null, tty: null, user: "user" }, output.sinks);
  const session = await Promise.race([opening, instance.failed]);
  session.endInput();
  const end = await awaitEnd(instance, session, context.interrupts());
  await settle(context, instance, end);
  await output.finish();
  const status = await statusOf(end, session.exited);
  if (context.isJson) await printJson(context, { event: "ended", instance: instance.state.id, status });
  return status;
}

/** Ends the machine in the way that fits how the application ended. */
async function settle(context: Context, instance: LiveInstance, end: End): Promise<void> {
  if (end.kind === "stop") return instance.stop(end.graceMs);
  if (end.kind === "failed") return instance.stop(0);
  if (end.kind === "exited") return instance.stop(graceMs);
  if (context.stderr.isTerminal)
    await context.stderr.print(`Stopping ${instance.state.id}; Ctrl-C again ends it at once.`);
  const atOnce = context.interrupts().again.then(() => instance.stop(0));
  await Promise.race([instance.stop(graceMs), atOnce]);
}

async function statusOf(end: End, exited: Promise<{ code: number | null; signal: string | null }>): Promise<number> {
  if (end.kind === "exited") return statusOfExit(end.status);
  if (end.kind === "interrupt") return statusOfSignal(end.signal);
  if (end.kind === "failed") throw end.error;
  const last = await endWithin(exited, 1_000);
  return last === undefined ? statusOfSignal(end.graceMs > 0 ? "SIGTERM" : "SIGKILL") : statusOfExit(last);
}
