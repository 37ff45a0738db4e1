// The QEMU driver: q35 with virtio devices, KVM or TCG.
import { ClocheError } from "../errors.ts";
import { imageBinds, imageInJail, kernelCommandLine, kvmBinds } from "./boot.ts";
import {
  controlDescriptor,
  controlStream,
  type HostFacts,
  type MonitorDriver,
  type MonitorPlan,
  type MonitorSockets,
} from "./contract.ts";
import type { Features } from "./features.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { connectQmp } from "./qmp.ts";

const features: Features = {
  source: "the monitor runtime: QEMU 11 from Debian's backports",
  withoutKvm: "yes, in compatibility mode: much slower, and held by the jail alone",
  chosenBy: "`--vmm auto` otherwise",
  windows: "Cloche's virtio-gpu device, over vfio-user",
  link: "`vhost-device-vsock`",
  shares: "`virtiofsd`",
  network: "`passt`",
  disk: "raw by its option, read-only",
  confinement: "none",
  nested: "hidden",
  pause: "yes",
  snapshots: "not driven",
  hotplug: "not driven",
  limits: "64 CPUs",
};

export const qemu: MonitorDriver = {
  name: "qemu",
  own: { link: false, display: false },
  features,
  lack: () => undefined,
  plan: planQemu,
  control: (access) => connectQmp(controlStream(access), access.signal),
};

function planQemu(spec: MachineSpec, host: HostFacts, sockets: MonitorSockets): MonitorPlan {
  if (spec.cpus > 64)
    throw new ClocheError("unsupported", `QEMU is given at most 64 CPUs, and ${spec.id} asks for ${spec.cpus}`);
  return {
    accelerator: host.kvm.usable ? "KVM" : "TCG (compatibility mode)",
    hasControlDescriptor: true,
    process: {
      name: "qemu",
      argv: [
        ...["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
        ...machineArguments(spec, host),
        ...bootArguments(),
        ...controlArguments(),
        ...deviceArguments(spec, sockets),
      ],
      binds: [...imageBinds(spec), ...kvmBinds(host)],
      network: "none",
    },
  };
}

/** The guest gets no virtualisation of its own: it would be one more way into the host's kernel. */
const hostCpu = "host,vmx=off,svm=off";

function machineArguments(spec: MachineSpec, host: HostFacts): string[] {
  // Devices outside the monitor work on the guest's memory: it is one shared memfd, always.
  const memory = `memory-backend-memfd,id=ram,size=${spec.memoryMib}M,share=on`;
  return [
    ...["-machine", "q35,memory-backend=ram,usb=off,vmport=off,smbus=off,sata=off,hpet=off,i8042=off"],
    ...["-accel", host.kvm.usable ? "kvm" : "tcg,thread=multi", "-cpu", host.kvm.usable ? hostCpu : "max"],
    ...["-smp", String(spec.cpus), "-m", `${spec.memoryMib}M`, "-object", memory],
  ];
}

function bootArguments(): string[] {
  return ["-kernel", imageInJail.kernel, "-initrd", imageInJail.initrd, "-append", kernelCommandLine];
}

/** The console is QEMU's standard output: the supervisor reads it, and bounds it. */
function controlArguments(): string[] {
  return [
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-chardev", `socket,id=qmp,fd=${controlDescriptor}`, "-object", "monitor-qmp,id=qmp-monitor,chardev=qmp"],
  ];
}

function deviceArguments(spec: MachineSpec, sockets: MonitorSockets): string[] {
  const socket = (id: string, path: string) => ["-chardev", `socket,id=${id},path=${path}`];
  const shares = spec.shares.flatMap(({ tag }) => {
    const path = sockets.shares[tag];
    if (path === undefined) throw new ClocheError("unsupported", `share ${tag} has no server`);
    return [...socket(`fs-${tag}`, path), "-device", `vhost-user-fs-pci,chardev=fs-${tag},tag=${tag},queue-size=1024`];
  });
  const network =
    sockets.network === undefined
      ? []
      : [
          ...socket("net", sockets.network),
          "-netdev",
          "vhost-user,id=net0,chardev=net",
          "-device",
          "virtio-net-pci,netdev=net0,romfile=",
        ];
  return [
    ...[
      "-blockdev",
      `driver=raw,node-name=root,read-only=on,file.driver=file,file.filename=${imageInJail.root},file.locking=off`,
    ],
    ...["-device", "virtio-blk-pci,drive=root,serial=root", "-device", "virtio-rng-pci"],
    ...[...socket("vsock", sockets.link.device), "-device", "vhost-user-vsock-pci,chardev=vsock"],
    ...shares,
    ...network,
    ...(sockets.display === undefined ? [] : ["-device", vfioUserDevice(sockets.display.device)]),
  ];
}

/** The device's socket is an object, which only the JSON form of the option can say. */
function vfioUserDevice(path: string): string {
  return JSON.stringify({ driver: "vfio-user-pci", socket: { type: "unix", path } });
}
