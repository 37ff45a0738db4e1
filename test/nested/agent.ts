// Runs inside the nested machine: takes commands from the virtio port, one at a time, and sends back what they say.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream, openSync, readdirSync, readFileSync, watch } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, type Exit, encodeFrame, type Frame, frameReader, readPayload } from "./frames.ts";
import { carryStamps } from "./stamps.ts";

function findPort(): string {
  const directory = "/sys/class/virtio-ports";
  const name = readdirSync(directory).find(
    (entry) => readFileSync(join(directory, entry, "name"), "utf8").trim() === "agent",
  );
  return `/dev/${name}`;
}

const fd = openSync(findPort(), "r+");
const sent = createWriteStream("", { fd, autoClose: false });
let running: ChildProcess | undefined;
/** What came before the command had started. */
let early: Frame[] = [];

/** Into a cgroup of its own as root, and then to the user whose command it is. */
const enter = 'echo 0 > "$1/cgroup.procs" && shift && exec setpriv "$@"';

async function run(command: Command): Promise<void> {
  const exit = await runToEnd(command).catch((error: unknown): Exit => {
    sent.write(encodeFrame("errors", Buffer.from(`nested: ${error}\n`)));
    return { code: 127, signal: null, isLate: false };
  });
  sent.write(encodeFrame("exit", exit));
}

async function runToEnd(command: Command): Promise<Exit> {
  await forgetFiles();
  const group = `/sys/fs/cgroup/command`;
  await mkdir(group);
  const groups = command.groups.length === 0 ? ["--clear-groups"] : ["--groups", command.groups.join()];
  const identity = ["--reuid", String(command.uid), "--regid", String(command.gid), ...groups];
  const child = spawn("/bin/sh", ["-c", enter, "sh", group, ...identity, "--", ...command.argv], {
    cwd: command.directory,
    env: { ...command.environment, XDG_RUNTIME_DIR: `/run/user/${command.uid}`, TMPDIR: "/tmp" },
    // A group of its own, for signals.
    detached: true,
  });
  running = child;
  child.stdin.on("error", () => {});
  early.forEach(forward);
  child.stdout.on("data", (chunk: Buffer) => send("output", chunk, child));
  child.stderr.on("data", (chunk: Buffer) => send("errors", chunk, child));
  let isLate = false;
  const timer = command.timeoutSeconds === 0 ? undefined : setTimeout(late, command.timeoutSeconds * 1000);
  function late() {
    isLate = true;
    signal("SIGKILL");
  }
  const closed = once(child, "close");
  const [code, name] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  running = undefined;
  await endGroup(group);
  await closed;
  return { code, signal: name, isLate };
}

/** Kills what the command has left behind, whatever it did to get away. */
async function endGroup(group: string): Promise<void> {
  const events = join(group, "cgroup.events");
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => readFileSync(events, "utf8").includes("populated 0") && resolve();
  using _ = watching(events, look);
  await writeFile(join(group, "cgroup.kill"), "1");
  look();
  await promise;
  const below = readdirSync(group, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { parentPath, name } of below.reverse()) await rmdir(join(parentPath, name));
  await rmdir(group);
}

function watching(path: string, onChange: () => void): Disposable {
  const watcher = watch(path, onChange);
  return { [Symbol.dispose]: () => watcher.close() };
}

/** Files of the host may have changed since the last command, and the file system does not ask. */
async function forgetFiles(): Promise<void> {
  // The second time forgets what the first has let go of.
  for (const _ of [1, 2]) await writeFile("/proc/sys/vm/drop_caches", "2");
}

function send(kind: "output" | "errors", chunk: Buffer, child: ChildProcess): void {
  if (sent.write(encodeFrame(kind, chunk))) return;
  for (const stream of [child.stdout, child.stderr]) stream?.pause();
  sent.once("drain", () => {
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
  });
}

function signal(name: NodeJS.Signals): void {
  try {
    if (running?.pid !== undefined) process.kill(-running.pid, name);
  } catch {
    // It has just ended.
  }
}

/** For the command that runs, or is about to. */
function forward(frame: Frame): void {
  if (running === undefined) early.push(frame);
  else if (frame.kind === "signal") signal(readPayload<{ name: NodeJS.Signals }>(frame).name);
  else if (frame.payload.length === 0) running.stdin?.end();
  else running.stdin?.write(frame.payload);
}

const take = frameReader((frame) => {
  if (frame.kind !== "start") return forward(frame);
  early = [];
  void run(readPayload(frame));
});
const [store = ""] = process.argv.slice(2);
await carryStamps(store);
createReadStream("", { fd, autoClose: false }).on("data", (chunk) => take(chunk as Buffer));
sent.write(encodeFrame("hello"));
