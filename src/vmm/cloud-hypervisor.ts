// The cloud-hypervisor driver: its own vsock, its seccomp filters and Landlock always on, KVM only.
import { ClocheError } from "../errors.ts";
import { placeInJail } from "../jail/host-program.ts";
import { imageBinds, imageInJail, kernelCommandLine, kvmBinds } from "./boot.ts";
import { apiSocketName, controlCloudHypervisor } from "./cloud-hypervisor-control.ts";
import {
  controlDescriptor,
  type HostFacts,
  type Lack,
  type MonitorDriver,
  type MonitorPlan,
  type MonitorSockets,
  monitorInJail,
} from "./contract.ts";
import type { Features } from "./features.ts";
import { installedLack, requireInstalled } from "./installed.ts";
import type { MachineSpec } from "./machine-spec.ts";

const features: Features = {
  source: "`cloud-hypervisor` 52 or newer on PATH, or `CLOCHE_CLOUD_HYPERVISOR`",
  withoutKvm: "no",
  chosenBy: "`--vmm auto` with KVM, where it is installed",
  windows: "Cloche's virtio-gpu device, over vfio-user",
  link: "its own hybrid vsock",
  shares: "`virtiofsd`",
  network: "`passt`",
  disk: "raw by its option, read-only",
  confinement: "seccomp filters for each thread, and Landlock",
  nested: "hidden",
  pause: "yes",
  snapshots: "yes",
  hotplug: "yes",
  limits: "Linux 6.2 or newer, for Landlock",
};

export const cloudHypervisor: MonitorDriver = {
  name: "cloud-hypervisor",
  own: { link: true, display: false },
  features,
  lack: lackOf,
  plan: planCloudHypervisor,
  control: (access) => controlCloudHypervisor(access),
};

function lackOf(host: HostFacts): Lack | undefined {
  const lack = installedLack("cloud-hypervisor", host);
  if (lack !== undefined || host.landlockLack === undefined) return lack;
  return { reason: host.landlockLack, hint: "It is never run without it: --vmm qemu runs here." };
}

function planCloudHypervisor(spec: MachineSpec, host: HostFacts, sockets: MonitorSockets): MonitorPlan {
  const program = placeInJail(requireInstalled("cloud-hypervisor", host).program);
  return {
    accelerator: "KVM",
    hasControlDescriptor: true,
    process: {
      name: "cloud-hypervisor",
      argv: [
        ...program.argv,
        ...confinement,
        ...["--api-socket", `path=${monitorInJail}/${apiSocketName}`, "--event-monitor", `fd=${controlDescriptor}`],
        ...["--cpus", `boot=${spec.cpus},nested=off`, "--memory", `size=${spec.memoryMib}M,shared=on`],
        ...["--kernel", imageInJail.kernel, "--initramfs", imageInJail.initrd, "--cmdline", kernelCommandLine],
        // The console is its standard output: the supervisor reads it, and bounds it.
        ...["--serial", "tty", "--console", "off"],
        ...deviceArguments(spec, sockets),
      ],
      binds: [...program.binds, ...imageBinds(spec), ...kvmBinds(host)],
      network: "none",
    },
  };
}

/** Landlock allows by itself what the command line names; snapshots are written beside the API's socket. */
const confinement = ["--seccomp", "true", "--landlock", "--landlock-rules", `path=${monitorInJail},access=rw`];

function deviceArguments(spec: MachineSpec, sockets: MonitorSockets): string[] {
  const shares = spec.shares.map(({ tag }) => {
    const path = sockets.shares[tag];
    if (path === undefined) throw new ClocheError("unsupported", `share ${tag} has no server`);
    return `tag=${tag},socket=${path},num_queues=1,queue_size=1024`;
  });
  return [
    ...["--disk", `path=${imageInJail.root},readonly=on,image_type=raw,sparse=off,serial=root`],
    ...["--vsock", `cid=${sockets.link.guestCid},socket=${sockets.link.hybrid}`],
    ...(shares.length === 0 ? [] : ["--fs", ...shares]),
    ...(sockets.network === undefined ? [] : ["--net", `vhost_user=on,socket=${sockets.network}`]),
    ...(sockets.display === undefined ? [] : ["--user-device", `socket=${sockets.display.device}`]),
  ];
}
