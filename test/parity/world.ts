// What a monitor's tests share: a desktop, a network, and two instances. Each is there from the test on that first asks for it.
import { once as onceEvent } from "node:events";
import { chown, cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { scaled } from "../../src/deadlines.ts";
import { openStore } from "../../src/image/store.ts";
import type { OrdinaryUser } from "../../src/setup/ordinary-user.ts";
import { startDesktop, type TestDesktop } from "../support/desktop.ts";
import { footArguments } from "./foot.ts";
import { Instance } from "./instance.ts";
import { type Monitor, withoutKvm } from "./monitors.ts";
import { networkLack, startNetworkHost } from "./network-host.ts";

export interface World extends AsyncDisposable {
  readonly desktop: TestDesktop;
  /** What the first instance is shown: the directories `writable` and `read-only` below it. */
  readonly shares: string;
  /** Runs Cloche as the desktop's user, to its end. */
  cloche: Cloche;
  /** Without a window and detached, with shares and a network. */
  first(): Promise<Instance>;
  /** Beside the first; it shows a window. */
  second(): Promise<Instance>;
}

export type Cloche = (...args: string[]) => ReturnType<TestDesktop["start"]>;

/** Milliseconds; an emulated guest takes a tenth. */
const launchTimeoutMs = 120_000;

export interface WorldPlan {
  readonly monitor: Monitor;
  /** Whether KVM works here and is not to be seen. */
  readonly hidesKvm: boolean;
}

export async function makeWorld({ monitor, hidesKvm }: WorldPlan): Promise<World> {
  await using cleanup = new AsyncDisposableStack();
  const desktop = cleanup.use(await startDesktop());
  const network = networkLack() === undefined ? cleanup.use(await startNetworkHost(desktop.user.directory)) : undefined;
  await carryStamps(desktop.user);
  const shares = join(desktop.user.directory, "shares");
  await makeShares(shares, desktop.user);
  const program = join(desktop.user.checkout, "bin", "cloche");
  const environment = Object.fromEntries(
    ["CLOCHE_CROSVM", "CLOCHE_CLOUD_HYPERVISOR", "CLOCHE_TIME_FACTOR", "NODE_COMPILE_CACHE"].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    ),
  );
  const cloche: Cloche = (...args) => desktop.start([program, ...args], { environment });
  cleanup.defer(async () => {
    await cloche("kill", "--all");
  });

  /** The argv of `cloche run` as the user, on that network. */
  const runArgv = (name: string, options: readonly string[], args: readonly string[]): string[] => {
    const run = ["run", name, "--temp", "--vmm", monitor.vmm, "--cpus", "1", "--memory", "384", "--json", ...options];
    const user = desktop.user.command([program, ...run, "--", ...args]);
    const argv = [...(hidesKvm ? withoutKvm : []), ...user];
    return network === undefined ? argv : network.command(argv);
  };
  const start = async (name: string, options: readonly string[], ...args: string[]): Promise<Instance> => {
    const [file = "", ...rest] = runArgv(name, options, args);
    const env = { ...desktop.environment, ...environment };
    const running = execa(file, rest, {
      stdin: "ignore",
      reject: false,
      cleanup: true,
      extendEnv: false,
      env,
      cwd: "/",
    });
    const timer = setTimeout(() => running.kill(), scaled(launchTimeoutMs));
    // The first line says that it runs, or why not.
    const line = await Promise.race([onceEvent(running.stdout, "data").then(String), running.then(() => "nothing")]);
    clearTimeout(timer);
    if (line.includes('"event":"ready"')) return new Instance(name, cloche, running);
    throw new Error(`cloche run ${name} ended: ${line}\n${(await running).stderr}`);
  };
  const net = network === undefined ? [] : ["--net", "internet"];
  const share = ["--share", join(shares, "writable"), "--share", `${join(shares, "read-only")}:ro`];
  const resources = cleanup.move();
  return {
    desktop,
    shares,
    cloche,
    first: once(() =>
      start("foot@first", ["--detach", "--no-windows", "--command", "sleep", ...net, ...share], "infinity"),
    ),
    second: once(() => start("foot@second", [], ...footArguments)),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The first call's promise, for every call. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The user has checked the images before, as one who has started Cloche once: hashing them takes an emulated machine minutes. */
async function carryStamps(user: OrdinaryUser): Promise<void> {
  const { own } = await openStore();
  if (process.geteuid?.() !== 0) return;
  const target = join(user.environment.HOME ?? "", ".cache", "cloche", "verified");
  await cp(join(own, "verified"), target, { recursive: true });
  await giveTo(user, join(user.environment.HOME ?? "", ".cache"));
}

async function makeShares(directory: string, user: OrdinaryUser): Promise<void> {
  for (const name of ["writable", "read-only"]) {
    await mkdir(join(directory, name), { recursive: true });
    await writeFile(join(directory, name, "letter.txt"), "from the host\n");
  }
  await giveTo(user, directory);
}

async function giveTo(user: OrdinaryUser, directory: string): Promise<void> {
  const [program, ...args] = user.command(["sh", "-c", "id -u; id -g"]);
  const { stdout } = await execa(program, args);
  const [uid = 0, gid = 0] = stdout.split("\n").map(Number);
  for (const name of ["", ...(await readdir(directory, { recursive: true }))])
    await chown(join(directory, name), uid, gid);
}
