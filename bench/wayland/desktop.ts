// What all sides share: an ordinary user's headless desktop that shows one window whole, and the load client.
import { chmod, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type HeadlessDesktop, startHeadlessDesktop } from "../../src/setup/headless-desktop.ts";
import { becomeOrdinary, type OrdinaryUser } from "../../src/setup/ordinary-user.ts";
import { buildLoadClient } from "./load-client.ts";
import type { Side } from "./side.ts";

export const size = { width: 1920, height: 1080 };

export interface BenchDesktop extends HeadlessDesktop {
  readonly user: OrdinaryUser;
  readonly compositorPid: number;
  /** The load client is the only file in it. */
  readonly loadDirectory: string;
  /** The load client, where `loadDirectory` is shared. */
  readonly loadInGuest: string;
  /** From the host, with nothing in between. */
  readonly direct: Side;
}

export async function startBenchDesktop(say: (line: string) => void): Promise<BenchDesktop> {
  await using cleanup = new AsyncDisposableStack();
  const user = cleanup.use(await becomeOrdinary());
  const loadDirectory = join(user.directory, "load");
  await mkdir(loadDirectory);
  await chmod(loadDirectory, 0o755);
  const load = await buildLoadClient(loadDirectory, () => say("building the load client"));
  await chmod(load, 0o755);
  const desktop = cleanup.use(await startHeadlessDesktop(user));
  await desktop.sway.run(`output * resolution ${size.width}x${size.height}`);
  await desktop.sway.run("default_border none");
  const resources = cleanup.move();
  return {
    ...desktop,
    user,
    compositorPid: compositorPid(desktop.environment.SWAYSOCK ?? ""),
    loadDirectory,
    loadInGuest: join("/mnt", basename(loadDirectory), basename(load)),
    direct: { name: "direct", command: (args) => user.command([load, ...args]), environment: desktop.environment },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Sway's socket is named `sway-ipc.UID.PID.sock`. */
function compositorPid(socket: string): number {
  const [, pid] = /\.(\d+)\.sock$/.exec(socket) ?? [];
  if (pid === undefined) throw new Error(`sway's process id is not in the name of its socket, ${socket}`);
  return Number(pid);
}
