// A virtual machine in software emulation that has AMD's virtualisation, and so a /dev/kvm. Its root is the host's, copy-on-write.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, watch } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { Socket } from "node:net";
import { dirname, join } from "node:path";
import * as fdpass from "../../native/fdpass/index.ts";
import { findBwrap } from "../../src/jail/bwrap.ts";
import { stateDirectory } from "../../src/paths.ts";
import { writeInitramfs } from "./initramfs.ts";
import type { MachineKernel } from "./kernel.ts";
import { fileServer, jailed, type MachineSize, monitor, sockets } from "./programs.ts";

export interface MachineSettings extends MachineSize {
  readonly kernel: MachineKernel;
  /** The root directory of the monitor runtime. */
  readonly runtimeRoot: string;
  /** The user's store of images. */
  readonly store: string;
  /** Directories that the machine shows at their own paths, also below /tmp and /run. */
  readonly shown: readonly string[];
}

export interface Machine {
  /** The stream to the agent, which says hello when it is up. */
  readonly agent: Socket;
  /** Resolves when the machine has ended, with the console's last lines. */
  readonly ended: Promise<string>;
  kill(): void;
}

const socketTimeoutMs = 10_000;
const consoleLines = 15;

/** Starts it in `directory`, which is to be empty. */
export async function startMachine(settings: MachineSettings, directory: string): Promise<Machine> {
  const { kernel, shown, store, runtimeRoot } = settings;
  const isRoot = process.geteuid?.() === 0;
  const jail = { bwrap: await findBwrap(), runtimeRoot, directory, isRoot };
  const pictures = join(stateDirectory(), "test-pictures");
  await mkdir(pictures, { recursive: true });
  await writeInitramfs({ modules: kernel.modules, shown, pictures, store }, join(directory, "initramfs"));

  const children: ChildProcess[] = [];
  const start = (name: string, argv: readonly string[], descriptors: readonly number[] = []) => {
    const child = startLogged(argv, join(directory, `${name}.log`), descriptors);
    children.push(child);
    return once(child, "close");
  };
  const kill = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  const serve = (socket: string, bind: readonly string[], ...options: string[]) =>
    start(socket, jailed(jail, fileServer(socket, isRoot, ...options), bind));
  const ends = [
    serve(sockets.root, ["--ro-bind", "/", "/share"], "--readonly"),
    serve(sockets.pictures, ["--bind", pictures, "/share"]),
  ];
  const failed = Promise.race(ends).then(() => lastLines(directory));
  const orFailed = (work: Promise<void>) =>
    Promise.race([work, failed.then((lines) => Promise.reject(new Error(lines)))]);
  try {
    await orFailed(
      Promise.all([sockets.root, sockets.pictures].map((name) => appears(directory, name))).then(() => {}),
    );
    const [ours, theirs] = fdpass.socketpair();
    const binds = ["--ro-bind", dirname(kernel.vmlinux), "/images"];
    ends.push(start("console", jailed(jail, monitor(settings), binds), [theirs]));
    fdpass.close(theirs);
    const agent = new Socket({ fd: ours });
    agent.on("error", () => {});
    const ended = Promise.race(ends).then(async () => {
      kill();
      agent.destroy();
      await Promise.all(ends);
      return lastLines(directory);
    });
    return { agent, ended, kill };
  } catch (error) {
    kill();
    throw error;
  }
}

function startLogged(
  [program = "", ...args]: readonly string[],
  path: string,
  descriptors: readonly number[],
): ChildProcess {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe", ...descriptors] });
  const log = createWriteStream(path);
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
  return child;
}

/** Waits for a file of `directory`. */
async function appears(directory: string, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => existsSync(join(directory, name)) && resolve();
  const watcher = watch(directory, look);
  const timer = setTimeout(
    () => reject(new Error(`there was no ${name} after ${socketTimeoutMs} ms`)),
    socketTimeoutMs,
  );
  look();
  await promise.finally(() => {
    watcher.close();
    clearTimeout(timer);
  });
}

/** What the programs said last. */
async function lastLines(directory: string): Promise<string> {
  const logs = [sockets.root, sockets.pictures, "console"].map(async (name) => {
    const text = await readFile(join(directory, `${name}.log`), "utf8").catch(() => "");
    return text
      .trimEnd()
      .split("\n")
      .slice(-consoleLines)
      .map((line) => `${name}: ${line}`);
  });
  return (await Promise.all(logs))
    .flat()
    .filter((line) => !line.endsWith(": "))
    .join("\n");
}
