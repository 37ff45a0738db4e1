// A monitor runtime whose monitor is a script: the real supervisor, jails, link and lens work on it.
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseInstanceName } from "../../src/app/instance-name.ts";
import { bringUp, type LiveInstance } from "../../src/instance/launch.ts";
import type { LaunchRequest } from "../../src/instance/request.ts";
import { Stopwatch } from "../../src/instance/timing.ts";
import { findBwrap } from "../../src/jail/bwrap.ts";
import { nativeDirectory, packagePath } from "../../src/paths.ts";
import { selectMonitor } from "../../src/vmm/select.ts";

export interface FakeRuntime {
  readonly root: string;
}

const busybox = "/bin/busybox";
const facts = { kvm: { usable: false, reason: "a script stands for the monitor" } };

/** Makes a runtime whose monitor behaves as `behaviour` says (fixtures/monitor.sh). */
export async function makeRuntime(behaviour: string): Promise<FakeRuntime & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), "cloche-runtime-"));
  for (const directory of ["usr/bin", "dev", "proc", "tmp", "run", "share"])
    await mkdir(join(root, directory), { recursive: true });
  await copyFile(busybox, join(root, "usr/bin/busybox"));
  for (const tool of ["sh", "sleep"]) await symlink("busybox", join(root, "usr/bin", tool));
  const monitor = join(root, "usr/bin/qemu-system-x86_64");
  await copyFile(packagePath("test", "lifecycle", "fixtures", "monitor.sh"), monitor);
  await chmod(monitor, 0o755);
  await chmod(root, 0o755);
  await writeFile(join(root, "behaviour"), `${behaviour}\n`);
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

export interface BringUpOptions {
  readonly helloTimeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly nativeDirectory?: string;
}

/** `launch` without the part that finds and builds images. */
export async function bringUpFake(
  runtime: FakeRuntime,
  id: string,
  options: BringUpOptions = {},
): Promise<LiveInstance> {
  const file = join(runtime.root, "behaviour");
  const name = parseInstanceName(id);
  const request: LaunchRequest = {
    name,
    manifest: {
      id: name.app,
      name: name.app,
      summary: "",
      command: ["true"],
      packages: ["x"],
      cpus: 1,
      memoryMib: 128,
    },
    isTemporary: true,
    monitor: "auto",
    shares: [],
    network: "none",
    cpus: undefined,
    memoryMib: undefined,
    hasWindows: false,
    clipboard: "none",
  };
  const spec = {
    id,
    cpus: 1,
    memoryMib: 128,
    kernel: file,
    initrd: file,
    root: file,
    shares: [],
    network: "none",
  } as const;
  const jail = {
    bwrap: await findBwrap(),
    runtimeRoot: runtime.root,
    nativeDirectory: options.nativeDirectory ?? nativeDirectory(),
  };
  const prepared = { spec, display: undefined, imageDigest: "0", jail, facts, selection: selectMonitor("auto", facts) };
  const signal = options.signal ?? new AbortController().signal;
  return bringUp(request, prepared, new Stopwatch(), signal, options.helloTimeoutMs ?? 2_000);
}
