// The process that owns a nested machine: boots it, takes its clients' commands one after another, and ends it when nobody has used it for a while.
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { messageOf } from "../../src/errors.ts";
import { ownerSocket } from "./address.ts";
import { encodeFrame, type Frame, frameReader } from "./frames.ts";
import { type Machine, type MachineSettings, startMachine } from "./machine.ts";

const idleMs = 180_000;
/** Ten times what it takes on two cores. */
const bootMs = 150_000;
const bootAttempts = 2;

interface Client {
  readonly socket: Socket;
  /** Sent before its turn. */
  readonly waiting: Frame[];
}

const [directory = "", settingsText = "{}"] = process.argv.slice(2);
const settings = JSON.parse(settingsText) as MachineSettings;
const queue: Client[] = [];
let machine: Machine | undefined;
let active: Client | undefined;
let idle: NodeJS.Timeout | undefined;

rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true, mode: 0o700 });
process.on("exit", () => {
  machine?.kill();
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => end("the machine was ended"));

const server = createServer(serve).listen(ownerSocket(directory));
await once(server, "listening");
// Whoever started us reads this line, and may be gone by the time of any other.
process.stdout.write("listening\n");
process.stdout.on("error", () => {});

try {
  machine = await boot();
  void machine.ended.then((lines) => end(`the nested machine has ended\n${lines}`));
  machine.agent.on("data", frameReader(fromAgent));
  next();
} catch (error) {
  end(`the nested machine does not boot\n${messageOf(error)}`);
}

async function boot(): Promise<Machine> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await startMachine(settings, directory);
    const isUp = await hello(started).catch((error: unknown) => {
      if (attempt === bootAttempts) throw error;
      return false;
    });
    if (isUp) return started;
  }
}

/** Resolves to true when the agent speaks. Throws with the console's last lines. */
async function hello({ agent, ended, kill }: Machine): Promise<boolean> {
  const timer = setTimeout(kill, bootMs);
  const up = new Promise<boolean>((resolve) => {
    agent.once("data", () => resolve(true));
  });
  try {
    return await Promise.race([up, ended.then((lines) => Promise.reject(new Error(lines || "it was silent")))]);
  } finally {
    clearTimeout(timer);
  }
}

function serve(socket: Socket): void {
  const client: Client = { socket, waiting: [] };
  socket.on("error", () => {});
  socket.on(
    "data",
    frameReader((frame) => {
      if (frame.kind === "stop") end("the machine was ended");
      else if (client === active) machine?.agent.write(encodeFrame(frame.kind, frame.payload));
      else client.waiting.push(frame);
    }),
  );
  socket.on("close", () => {
    if (queue.includes(client)) queue.splice(queue.indexOf(client), 1);
    if (client !== active) return;
    // Its command ends with it; the turn is over when the agent says so.
    machine?.agent.write(encodeFrame("signal", { name: "SIGKILL" }));
    idle = setTimeout(() => end("the agent does not answer"), idleMs);
  });
  queue.push(client);
  next();
}

function next(): void {
  clearTimeout(idle);
  if (machine === undefined || active !== undefined) return;
  active = queue.shift();
  if (active === undefined) {
    idle = setTimeout(() => end("nobody has used the machine for a while"), idleMs);
    return;
  }
  active.socket.write(encodeFrame("hello"));
  for (const { kind, payload } of active.waiting) machine.agent.write(encodeFrame(kind, payload));
}

function fromAgent({ kind, payload }: Frame): void {
  if (active === undefined) return;
  active.socket.write(encodeFrame(kind, payload));
  if (kind !== "exit") return;
  active.socket.end();
  active = undefined;
  next();
}

/** Tells who waits why there is no more. */
function end(reason: string): never {
  for (const client of [active, ...queue]) client?.socket.write(encodeFrame("errors", Buffer.from(`${reason}\n`)));
  process.exit();
}
