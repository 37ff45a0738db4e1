// The peer: waypipe over the link of a running instance, both ends of the same image. It draws on the compositor itself:
// its pools cannot be sealed, and the lens takes no others.
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa, type Options } from "execa";
import { parseInstanceName } from "../../src/app/instance-name.ts";
import { layOut } from "../../src/instance/directory.ts";
import { findBwrap, jailArgv } from "../../src/jail/bwrap.ts";
import type { ProcessPlan } from "../../src/jail/process-plan.ts";
import { listening } from "../../src/jail/processes.ts";
import { hostPortPath } from "../../src/link/hybrid-vsock.ts";
import { linkInJail, linkSocket } from "../../src/link/vsock-device.ts";
import type { BenchDesktop } from "./desktop.ts";
import type { BenchInstance } from "./instance.ts";

/** Above the ports that Cloche uses itself. */
const port = 1100;
const hostCid = 2;
const compositorInJail = "/run/compositor";
/** Its socket in the guest. */
export const waypipeDisplay = "wayland-waypipe";
const common = ["waypipe", "--compress", "none", "--no-gpu"];
const options = { stdin: "ignore", reject: false, extendEnv: false, cwd: "/" } satisfies Options;

export interface Waypipe extends AsyncDisposable {
  /** The host's end. */
  readonly pid: number;
}

/** Names waypipe, what it is linked with, and the loader; a library without a path is the kernel's own. */
const listFiles = `ldd /usr/bin/waypipe | sed -n 's/.*=> \\(\\/[^ ]*\\).*/\\1/p; s/^[[:space:]]*\\(\\/[^ ]*\\).*/\\1/p'`;
const packFiles = `tar --create --dereference --directory / -- usr/bin/waypipe $(${listFiles} | cut -c 2-)`;

/** The root of the host end's jail: waypipe as the guest has it, with its libraries. */
async function copyProgram(
  { environment }: BenchDesktop,
  { exec }: BenchInstance,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "cloche-bench-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(path, { recursive: true, force: true }));
  await chmod(path, 0o755);
  for (const name of ["dev", "proc", "tmp", "run"]) await mkdir(join(path, name));
  const [file, ...args] = exec(["sh", "-c", packFiles]);
  const packing = execa(file, args, {
    stdin: "ignore",
    extendEnv: false,
    cwd: "/",
    env: environment,
    encoding: "buffer",
    buffer: { stdout: false },
  });
  await packing.pipe("tar", ["--extract", "--directory", path]);
  const resources = cleanup.move();
  return { path, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export async function startWaypipe(desktop: BenchDesktop, instance: BenchInstance): Promise<Waypipe> {
  await using cleanup = new AsyncDisposableStack();
  const root = cleanup.use(await copyProgram(desktop, instance));
  const host = cleanup.use(await startHostEnd(desktop, instance, root.path));
  cleanup.use(await startGuestEnd(desktop, instance));
  const resources = cleanup.move();
  return { pid: host.pid, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function startHostEnd({ user, environment }: BenchDesktop, { name }: BenchInstance, root: string) {
  const { link } = layOut(parseInstanceName(name).id);
  const compositor = join(environment.XDG_RUNTIME_DIR ?? "/", environment.WAYLAND_DISPLAY ?? "");
  const plan: ProcessPlan = {
    name: "waypipe",
    argv: [...common, "--socket", hostPortPath(linkSocket(linkInJail), port), "client"],
    environment: { WAYLAND_DISPLAY: compositorInJail, XDG_RUNTIME_DIR: "/tmp" },
    binds: [
      { source: link, target: linkInJail, access: "rw" },
      { source: compositor, target: compositorInJail, access: "rw" },
    ],
    network: "none",
    listensOn: hostPortPath(linkSocket(link), port),
  };
  const nativeDirectory = join(user.checkout, "native", "dist");
  const [file, ...args] = user.command(
    jailArgv(plan, { bwrap: await findBwrap(), runtimeRoot: root, nativeDirectory }),
  );
  const child = execa(file, args, { ...options, env: environment });
  const lastErrors: string[] = [];
  const kill = async () => {
    child.kill("SIGKILL");
    await child;
  };
  const exited = child.then(({ exitCode, signal, stderr }) => {
    lastErrors.push(String(stderr));
    return { code: exitCode ?? null, signal: signal ?? null };
  });
  const pid = child.pid ?? 0;
  await listening(plan, { name: plan.name, pid, exited, lastErrors, kill });
  return { pid, [Symbol.asyncDispose]: kill };
}

async function startGuestEnd(desktop: BenchDesktop, instance: BenchInstance): Promise<AsyncDisposable> {
  const [file, ...args] = instance.exec([
    ...[...common, "--vsock", "--socket", `${hostCid}:${port}`, "--display", `/run/user/1000/${waypipeDisplay}`],
    // It starts the command when it listens, and ends with it.
    ...["server", "sh", "-c", "echo ready; exec sleep infinity"],
  ]);
  const child = execa(file, args, { ...options, env: desktop.environment, buffer: { stdout: false } });
  const { done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done) throw new Error(`waypipe did not start in the guest: ${(await child).stderr}`);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child;
    },
  };
}
