// Runs commands on the nested machine, which is started where it does not run yet.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import * as bindings from "../../native/bindings/index.ts";
import * as fdpass from "../../native/fdpass/index.ts";
import { cacheDirectory, packagePath } from "../../src/paths.ts";
import { SetupError } from "../../src/setup/setup-error.ts";
import { machineDirectory, ownerSocket } from "./address.ts";
import { type Command, type Exit, encodeFrame, type Frame, frameReader, readPayload } from "./frames.ts";
import type { MachineSettings } from "./machine.ts";
import type { MachineSize } from "./programs.ts";

export interface CommandStreams {
  readonly input: NodeJS.ReadableStream | undefined;
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream;
  /** Called with what sends a signal to the command. */
  readonly onStart?: (signal: (name: NodeJS.Signals) => void) => void;
}

/** Connects to the machine of that size, or starts one. */
export async function connectMachine(settings: MachineSettings): Promise<Socket> {
  const directory = machineDirectory(settings);
  const cache = cacheDirectory("nested");
  mkdirSync(cache, { recursive: true });
  // Two that find none would start two.
  const lock = await bindings.lockFile(join(cache, "start.lock"), true);
  try {
    const running = await tryConnect(directory);
    if (running !== undefined) return running;
    await startOwner(directory, settings);
    const started = await tryConnect(directory);
    if (started !== undefined) return started;
    throw new SetupError("Nested machine", "its owner does not answer", "Try again.");
  } finally {
    fdpass.close(lock);
  }
}

/** Ends the machine of that size where it runs; resolves when nothing of it is left. */
export async function stopMachine(size: MachineSize): Promise<void> {
  const socket = await tryConnect(machineDirectory(size));
  if (socket === undefined) return;
  socket.resume().write(encodeFrame("stop"));
  await once(socket, "close");
}

/** Runs a command to its end. Throws where the machine ends before. */
export async function runOn(socket: Socket, command: Command, streams: CommandStreams): Promise<Exit> {
  const { promise, resolve, reject } = Promise.withResolvers<Exit>();
  const send = (kind: Frame["kind"], payload?: Uint8Array | object) => socket.write(encodeFrame(kind, payload));
  socket.on(
    "data",
    frameReader((frame) => {
      if (frame.kind === "output") streams.output.write(frame.payload);
      if (frame.kind === "errors") streams.errors.write(frame.payload);
      if (frame.kind === "exit") resolve(readPayload(frame));
    }),
  );
  socket.on("close", () => reject(new SetupError("Nested machine", "it ended before the command did", "Try again.")));
  send("start", command);
  streams.onStart?.((name) => send("signal", { name }));
  const onInput = (chunk: Buffer) => send("input", chunk);
  const onEnd = () => send("input");
  streams.input?.on("data", onInput).on("end", onEnd);
  if (streams.input === undefined) onEnd();
  try {
    return await promise;
  } finally {
    streams.input?.off("data", onInput).off("end", onEnd).pause();
  }
}

async function tryConnect(directory: string): Promise<Socket | undefined> {
  const socket = connect(ownerSocket(directory));
  try {
    await once(socket, "connect");
    socket.on("error", () => {});
    return socket;
  } catch {
    return undefined;
  }
}

async function startOwner(directory: string, settings: MachineSettings): Promise<void> {
  const argv = [packagePath("test", "nested", "owner.ts"), directory, JSON.stringify(settings)];
  const owner = spawn(process.execPath, argv, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const listening = once(owner.stdout, "data");
  await Promise.race([listening, once(owner, "exit")]);
  owner.stdout.destroy();
  owner.unref();
}
