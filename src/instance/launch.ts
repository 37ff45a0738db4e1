// The life of one instance: prepare, start, ready, sessions, stop. Whatever happens, nothing of it is left.
import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import type { Surroundings } from "../../portals/instance-portals.ts";
import { hostnameOf } from "../app/instance-name.ts";
import { scaled } from "../deadlines.ts";
import { ClocheError, messageOf } from "../errors.ts";
import { ExecSession, type ExecSinks } from "../link/exec.ts";
import { connectGuest } from "../link/hybrid-vsock.ts";
import { type Command, type Configuration, linkPort } from "../link/protocol.ts";
import { linkSocket } from "../link/vsock-device.ts";
import { InstanceLog, logPath } from "../log.ts";
import { guestNetwork } from "../network/passt.ts";
import type { Progress } from "../progress.ts";
import type { MonitorControl } from "../vmm/contract.ts";
import type { MachineSpec } from "../vmm/machine-spec.ts";
import type { Selection } from "../vmm/select.ts";
import { serveControl } from "./control-socket.ts";
import { createDirectory, layOut, removeDirectory, sweepDirectories } from "./directory.ts";
import { startJanitor } from "./janitor.ts";
import { Machine } from "./machine.ts";
import { planInstance } from "./plan.ts";
import { type LaunchRequest, type Prepared, prepareLaunch } from "./request.ts";
import { type InstanceState, ownStartTime, writeState } from "./state.ts";
import { type StageTime, Stopwatch } from "./timing.ts";

/** Milliseconds from the monitor's start to the agent's hello: ten times a slow boot in software emulation. */
const defaultHelloTimeoutMs = scaled(60_000);
/** Console lines that a failure shows. */
const consoleLines = 12;

export interface LiveInstance {
  readonly state: InstanceState;
  readonly timings: readonly StageTime[];
  readonly monitor: MonitorControl;
  /** Rejects when the machine ends before it was told to. */
  readonly failed: Promise<never>;
  /** Resolves when another command asked for the end; the number is the grace in milliseconds. */
  readonly stopRequested: Promise<number>;
  openSession(command: Command, sinks: ExecSinks): Promise<ExecSession>;
  writeLog(source: string, message: string): void;
  /** Ends it in good order within `graceMs`; 0 kills it. Resolves when nothing is left. */
  stop(graceMs: number): Promise<void>;
}

/** Brings an instance to life; `announce` hears the choice of monitor before anything starts. Throws with the stage that failed and the console's last lines; by then nothing is left. */
export async function launch(
  request: LaunchRequest,
  progress: Progress,
  signal: AbortSignal,
  announce: (selection: Selection) => void = () => {},
): Promise<LiveInstance> {
  await sweepDirectories();
  const stopwatch = new Stopwatch();
  stopwatch.begin("prepare");
  const prepared = await prepareLaunch(request, progress, signal).catch((error) => {
    throw withStage(error, stopwatch.current, []);
  });
  announce(prepared.selection);
  return bringUp(request, prepared, stopwatch, signal);
}

/** The part of `launch` after everything has been found and built. */
export async function bringUp(
  request: LaunchRequest,
  prepared: Prepared,
  stopwatch: Stopwatch,
  signal: AbortSignal,
  helloTimeoutMs = defaultHelloTimeoutMs,
): Promise<LiveInstance> {
  const { spec, display, selection, facts, portals } = prepared;
  await using cleanup = new AsyncDisposableStack();
  if (typeof portals !== "string") cleanup.use(portals);
  const plan = planInstance(spec, display, layOut(spec.id), selection.driver, facts);
  const directory = await createDirectory(request.name.id).catch((error) => {
    throw withStage(error, "prepare", []);
  });
  const janitor = startJanitor(directory);
  cleanup.defer(() => janitor.dismiss());
  cleanup.defer(() => removeDirectory(directory));
  const log = new InstanceLog(logPath(request.name.id));
  cleanup.defer(() => log.close());

  const machine = new Machine({
    jail: prepared.jail,
    driver: selection.driver,
    log(source, message) {
      if (source === "lens" && typeof portals !== "string") portals.hearLens(message);
      log.write(source, message);
    },
    stopwatch,
    signal,
    janitor,
    helloTimeoutMs,
  });
  let state = describe(request, prepared, plan.monitor.accelerator);
  // One after the other: they have a file in common.
  let saved = Promise.resolve();
  const save = (changes: Partial<InstanceState> = {}): Promise<void> => {
    state = { ...state, ...changes };
    saved = saved.catch(() => {}).then(() => writeState(state));
    return saved;
  };
  await save();
  log.write("supervisor", `starts: ${selection.reason}`);
  if (typeof portals === "string") log.write("portals", `none: ${portals}`);
  const graceMs = { value: 0 };
  cleanup.defer(() => machine.stop(graceMs.value));
  try {
    if (typeof portals !== "string")
      await portals.listen(linkSocket(directory.link), {
        ...surroundingsOf(prepared, log),
        onUse: (inUse) => void save({ inUse }).catch(() => {}),
      });
    const configuration = configurationOf(spec, hostnameOf(request.name), {
      windows: request.hasWindows,
      portals: typeof portals !== "string",
    });
    const { renderer } = await machine.start(plan, directory, configuration);
    state = { ...state, renderer };
  } catch (error) {
    const told = withStage(error, stopwatch.current, machine.console.excerpt(consoleLines));
    log.write("supervisor", `failed in ${stopwatch.current}: ${told.message}`);
    throw told;
  }
  stopwatch.finish();

  const stopRequested = Promise.withResolvers<number>();
  const openDescriptor = () => connectGuest(linkSocket(directory.link), linkPort.exec);
  cleanup.defer(serveControl(request.name.id, { openSession: openDescriptor, stop: stopRequested.resolve }));
  const processes = machine.processes.map(({ name, pid }) => ({ name, pid }));
  await save({ phase: "running", processes, timings: stopwatch.stages });
  log.write("supervisor", `ready after ${stopwatch.totalMs} ms`);

  const failed = machine.failed.catch((error) => {
    throw withStage(error, "run", machine.console.excerpt(consoleLines));
  });
  failed.catch(() => {});
  const resources = cleanup.move();
  let stopped: Promise<void> | undefined;
  return {
    state,
    timings: stopwatch.stages,
    monitor: machine.monitor,
    failed,
    stopRequested: stopRequested.promise,
    openSession: async (command, sinks) => new ExecSession(new Socket({ fd: await openDescriptor() }), command, sinks),
    writeLog: (source, message) => log.write(source, message),
    stop(grace) {
      // Asked once more and without grace, the orderly end under way is cut short.
      if (stopped !== undefined && grace === 0) void machine.stop(0);
      graceMs.value = grace;
      if (stopped === undefined) log.write("supervisor", grace > 0 ? "stops" : "is killed");
      stopped ??= save({ phase: "stopping" })
        .catch(() => {})
        .then(() => resources.disposeAsync());
      return stopped;
    },
  };
}

function configurationOf(
  spec: MachineSpec,
  hostname: string,
  session: Pick<Configuration, "windows" | "portals">,
): Omit<Configuration, "clockUnixNs" | "seed"> {
  return {
    hostname,
    machineId: randomBytes(16).toString("hex"),
    mounts: spec.shares.map(({ tag, mountPoint, readOnly }) => ({ tag, path: mountPoint, readOnly })),
    ...session,
    network: spec.network === "none" ? null : guestNetwork,
    environment: {},
  };
}

const surroundingsOf = ({ spec, jail, hasPipeWire }: Prepared, log: InstanceLog): Omit<Surroundings, "onUse"> => ({
  shares: spec.shares,
  hasNetwork: spec.network !== "none",
  hasPipeWire,
  jail,
  log: (message) => log.write("portals", message),
});

function describe(
  request: LaunchRequest,
  { spec, selection, imageDigest, portals }: Prepared,
  accelerator: string,
): InstanceState {
  return {
    id: spec.id,
    app: request.name.app,
    pid: process.pid,
    startTime: ownStartTime(),
    phase: "starting",
    startedAt: new Date().toISOString(),
    monitor: selection.driver.name,
    reason: selection.reason,
    accelerator,
    machine: { cpus: spec.cpus, memoryMib: spec.memoryMib, shares: spec.shares },
    image: imageDigest,
    windows: request.hasWindows,
    renderer: null,
    inUse: [],
    portals: typeof portals === "string" ? portals : null,
    network: spec.network,
    processes: [],
    timings: [],
  };
}

function withStage(error: unknown, stage: string, console: readonly string[]): ClocheError {
  const known = error instanceof ClocheError ? error : new ClocheError("state", messageOf(error), { cause: error });
  return new ClocheError(known.code, known.message, {
    stage,
    console,
    cause: known.cause,
    ...(known.hint === undefined ? {} : { hint: known.hint }),
  });
}
