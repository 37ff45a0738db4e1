// A machine with a working /dev/kvm: this one where it has one, the nested one elsewhere.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { probeKvm } from "../../native/bindings/index.ts";
import { ensureRuntime } from "../../src/image/runtime.ts";
import { openStore } from "../../src/image/store.ts";
import { packagePath } from "../../src/paths.ts";
import type { Progress } from "../../src/progress.ts";
import { type CommandStreams, connectMachine, runOn, stopMachine } from "./client.ts";
import type { Exit } from "./frames.ts";
import { ensureMachineKernel } from "./kernel.ts";
import type { MachineSize } from "./programs.ts";

export interface CommandRequest {
  readonly argv: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Seconds; 0 is for ever. */
  readonly timeoutSeconds: number;
}

/** QEMU emulates several CPUs, each on a thread; one has never failed us. */
export const usualSize: MachineSize = { cpus: 1, memoryMib: 6144 };

/** How many times slower the nested machine is; tests multiply their deadlines by it. */
const slowness = 10;

/** As long as a machine with hardware takes ten times over. */
const probeDeadlineMs = 900;

/** Of the host's session; what they lead to is not in the machine. */
const ofTheSession = ["WAYLAND_DISPLAY", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "SWAYSOCK"];

/** Whether guests run on this machine's own KVM. */
export const hasKvm = async (): Promise<boolean> => (await probeKvm("/dev/kvm", probeDeadlineMs)).usable;

/** Runs a command where KVM works. Throws where there is no such machine. */
export async function runWithKvm(
  request: CommandRequest,
  streams: CommandStreams,
  progress: Progress,
  size = usualSize,
): Promise<Exit> {
  return (await hasKvm()) ? runHere(request, streams) : runNested(request, streams, progress, size);
}

/** Ends the nested machine of that size, where one runs. */
export const endNested = (size = usualSize): Promise<void> => stopMachine(size);

async function runNested(
  request: CommandRequest,
  streams: CommandStreams,
  progress: Progress,
  size: MachineSize,
): Promise<Exit> {
  const store = await openStore();
  const context = { store, progress };
  const runtime = await ensureRuntime(context);
  const kernel = await ensureMachineKernel(context, runtime);
  const shown = [packagePath(), store.own];
  const socket = await connectMachine({ ...size, kernel, runtimeRoot: runtime.root, store: store.own, shown });
  const environment = Object.entries({
    ...request.environment,
    CLOCHE_TIME_FACTOR: String(slowness),
    // Types are stripped and scripts are compiled once, not by each process.
    NODE_COMPILE_CACHE: "/tmp/node-compile-cache",
  }).flatMap(([name, value]) => (value === undefined || ofTheSession.includes(name) ? [] : [[name, value]]));
  const identity = {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
  };
  return await runOn(socket, { ...request, ...identity, environment: Object.fromEntries(environment) }, streams);
}

async function runHere(request: CommandRequest, streams: CommandStreams): Promise<Exit> {
  const [program = "", ...args] = request.argv;
  const child = spawn(program, args, {
    cwd: request.directory,
    env: request.environment,
    timeout: request.timeoutSeconds * 1000,
    killSignal: "SIGKILL",
    stdio: "pipe",
  });
  child.stdin.on("error", () => {});
  if (streams.input === undefined) child.stdin.end();
  else streams.input.pipe(child.stdin);
  child.stdout.pipe(streams.output, { end: false });
  child.stderr.pipe(streams.errors, { end: false });
  streams.onStart?.((name) => child.kill(name));
  const started = performance.now();
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const isLate = request.timeoutSeconds > 0 && performance.now() - started >= request.timeoutSeconds * 1000;
  return { code, signal, isLate };
}
