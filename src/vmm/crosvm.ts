// The crosvm driver: its own virtio-gpu device, one process a device each in its own sandbox, KVM only.
import { ClocheError } from "../errors.ts";
import { placeInJail } from "../jail/host-program.ts";
import { imageBinds, imageInJail, kernelCommandLine, kvmBinds } from "./boot.ts";
import {
  type HostFacts,
  type Lack,
  type MonitorAccess,
  type MonitorControl,
  type MonitorDriver,
  type MonitorPlan,
  type MonitorSockets,
  monitorInJail,
  type Needs,
} from "./contract.ts";
import type { Features } from "./features.ts";
import { installedLack, requireInstalled } from "./installed.ts";
import type { MachineSpec } from "./machine-spec.ts";

/** Its control socket: SOCK_SEQPACKET, in a protocol that only crosvm of the same build speaks, so crosvm itself is asked to. */
const controlSocket = `${monitorInJail}/control`;

/** The hard limit of open files that its GPU process sets itself, which can be no higher than ours. */
const neededOpenFiles = 32_768;
/** Entries of a queue; the back ends refuse crosvm's own choice of 32,768. */
const queueSize = { link: 256, network: 256, share: 1024 } as const;
/** Bytes of the guest's address space that its windows' pixels can take. */
const windowBytes = 2 ** 30;

const features: Features = {
  source: "`crosvm` on PATH, or `CLOCHE_CROSVM`; built with the features `gpu` and `net`",
  withoutKvm: "no",
  chosenBy: "`--vmm crosvm` only: it has no versions by which a bad one could be told",
  windows: "its own virtio-gpu device",
  link: "`vhost-device-vsock`",
  shares: "`virtiofsd`",
  network: "`passt`",
  disk: "raw, read-only; it looks at the contents to tell the format",
  confinement: "each device in a process of its own, with namespaces and seccomp filters",
  nested: "hidden, where `crosvm run --help` knows `--nested`",
  pause: "yes",
  snapshots: "not driven",
  hotplug: "not driven",
  limits: "windows take an ordinary user, and a hard limit of 32,768 open files or more",
};

export const crosvm: MonitorDriver = {
  name: "crosvm",
  own: { link: false, display: true },
  features,
  lack: lackOf,
  plan: planCrosvm,
  control: controlCrosvm,
};

function lackOf(host: HostFacts, { hasWindows, withoutCrosvmSandbox = false }: Needs): Lack | undefined {
  return installedLack("crosvm", host) ?? (hasWindows && !withoutCrosvmSandbox ? lackForWindows(host) : undefined);
}

/** Its GPU process raises its limits, and mounts a /proc of its own, which the kernel allows only where none of ours is covered. */
function lackForWindows({ supervisor: { isRoot, maxOpenFiles } }: HostFacts): Lack | undefined {
  if (isRoot)
    return {
      reason: "its sandbox does not start in root's jail, where bubblewrap covers parts of /proc",
      hint: "Run Cloche as an ordinary user, or take another monitor.",
    };
  if (maxOpenFiles >= neededOpenFiles) return undefined;
  return {
    reason: `a process may have ${maxOpenFiles} open files here, and its sandbox sets ${neededOpenFiles}`,
    hint: "Raise the hard limit of open files (ulimit -Hn), for example in /etc/security/limits.conf.",
  };
}

function planCrosvm(spec: MachineSpec, host: HostFacts, sockets: MonitorSockets): MonitorPlan {
  const found = requireInstalled("crosvm", host);
  const program = placeInJail(found.program);
  const argv = [...program.argv, "--no-syslog", "--log-level", "warn"];
  return {
    accelerator: spec.withoutCrosvmSandbox ? "KVM, without crosvm's own sandbox" : "KVM",
    hasControlDescriptor: false,
    commander: { name: "crosvm-command", argv, binds: program.binds, network: "none" },
    process: {
      name: "crosvm",
      argv: [
        ...argv,
        ...["run", "--name", "crosvm", "--socket", controlSocket],
        ...(spec.withoutCrosvmSandbox ? ["--disable-sandbox"] : ["--pivot-root", emptyRoot]),
        ...(found.options.includes("--nested") ? ["--nested", "mode=off"] : []),
        ...["--cpus", `num-cores=${spec.cpus}`, "--mem", `size=${spec.memoryMib}`, "--no-balloon", "--no-usb"],
        // The console is its standard output: the supervisor reads it, and bounds it.
        ...["--serial", "type=stdout,hardware=serial,num=1,console=true"],
        ...["--initrd", imageInJail.initrd, "--params", kernelCommandLine],
        ...deviceArguments(spec, sockets),
        imageInJail.kernel,
      ],
      binds: [...program.binds, ...imageBinds(spec), ...kvmBinds(host)],
      // Its GPU process takes the host's devices into its sandbox: here there are none.
      emptyDirectories: [emptyRoot, "/sys/dev/char", "/sys/devices"],
      network: "none",
    },
  };
}

/** What the sandbox of each of its processes has as its root. */
const emptyRoot = "/run/empty";

function deviceArguments(spec: MachineSpec, sockets: MonitorSockets): string[] {
  const vhostUser = (type: string, socket: string, entries: number) => [
    "--vhost-user",
    `${type},socket=${socket},max-queue-size=${entries}`,
  ];
  const shares = spec.shares.flatMap(({ tag }) => {
    const path = sockets.shares[tag];
    if (path === undefined) throw new ClocheError("unsupported", `share ${tag} has no server`);
    return vhostUser("fs", path, queueSize.share);
  });
  return [
    // It has no option for the format, and takes an image without another's mark as raw; ours have none.
    ...["--block", `path=${imageInJail.root},ro=true,id=root`],
    ...vhostUser("vsock", sockets.link.device, queueSize.link),
    ...shares,
    ...(sockets.network === undefined ? [] : vhostUser("net", sockets.network, queueSize.network)),
    ...(sockets.display === undefined ? [] : displayArguments(sockets.display.wayland)),
  ];
}

/**
 * crosvm would show the guest's screen in a window of its own there, but takes no compositor without GPU buffers
 * (zwp_linux_dmabuf_v1) for that, which the lens does not offer. A socket with a name is none for the guest's clients.
 */
const displayArguments = (wayland: string): string[] => [
  ...["--gpu", `context-types=cross-domain,pci-bar-size=${windowBytes}`],
  ...["--wayland-sock", wayland],
];

/** It reports nothing by itself: it runs when its agent says so, and ends when its process does. */
async function controlCrosvm({ command }: MonitorAccess): Promise<MonitorControl> {
  return {
    powerDown: () => command(["powerbtn", controlSocket]),
    pause: () => command(["suspend", controlSocket]),
    resume: () => command(["resume", controlSocket]),
    quit: () => command(["stop", controlSocket]),
  };
}
