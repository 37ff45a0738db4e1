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
import type { HostFacts, MonitorDriver, MonitorName } from "../../src/vmm/contract.ts";
import { selectMonitor } from "../../src/vmm/select.ts";

export interface FakeRuntime {
  readonly root: string;
}

const busybox = "/bin/busybox";
/** Where the scripts are that stand for the monitors, below the runtime's root. */
const scripts = {
  qemu: "usr/bin/qemu-system-x86_64",
  "cloud-hypervisor": "installed/cloud-hypervisor",
  crosvm: "installed/crosvm",
} as const satisfies Record<MonitorName, string>;

/** A host on which that monitor can run, and no other that a user installs. */
function factsFor(name: MonitorName, { root }: FakeRuntime): HostFacts {
  const program = { path: join(root, scripts[name]), loader: undefined, libraries: [] };
  return {
    kvm: { usable: name !== "qemu", reason: "a script stands for the monitor" },
    installed: name === "qemu" ? {} : { [name]: { usable: true, version: "0", options: [], program } },
    landlockLack: undefined,
    supervisor: { isRoot: false, maxOpenFiles: 524_288 },
  };
}

/** The scripts need no /dev/kvm, which is not there everywhere. */
function withoutDevice(driver: MonitorDriver): MonitorDriver {
  const plan: MonitorDriver["plan"] = (...args) => {
    const planned = driver.plan(...args);
    const binds = planned.process.binds.filter(({ access }) => access !== "device");
    return { ...planned, process: { ...planned.process, binds } };
  };
  return { ...driver, plan };
}

/** Makes a runtime in which monitors behave as `behaviour` says (fixtures/qemu.sh and its neighbours). */
export async function makeRuntime(behaviour: string): Promise<FakeRuntime & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), "cloche-runtime-"));
  for (const directory of ["usr/bin", "dev", "proc", "sys", "tmp", "run", "share", "installed"])
    await mkdir(join(root, directory), { recursive: true });
  await copyFile(busybox, join(root, "usr/bin/busybox"));
  for (const tool of ["sh", "sleep"]) await symlink("busybox", join(root, "usr/bin", tool));
  for (const [name, path] of Object.entries(scripts)) {
    await copyFile(packagePath("test", "lifecycle", "fixtures", `${name}.sh`), join(root, path));
    await chmod(join(root, path), 0o755);
  }
  await chmod(root, 0o755);
  await writeFile(join(root, "behaviour"), `${behaviour}\n`);
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

export interface BringUpOptions {
  readonly monitor?: MonitorName;
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
  const monitor = options.monitor ?? "qemu";
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
    monitor,
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
  const facts = factsFor(monitor, runtime);
  const chosen = selectMonitor({ monitor, hasWindows: false }, facts);
  const selection = { ...chosen, driver: withoutDevice(chosen.driver) };
  const portals = "not in these tests";
  const prepared = { spec, display: undefined, imageDigest: "0", hasPipeWire: false, jail, facts, selection, portals };
  const signal = options.signal ?? new AbortController().signal;
  return bringUp(request, prepared, new Stopwatch(), signal, options.helloTimeoutMs ?? 2_000);
}
