// The QEMU driver: q35 with virtio devices, KVM or TCG.
import { ClocheError } from "../errors.ts";
import type { HostFacts, MonitorDriver, MonitorPlan, MonitorSockets } from "./contract.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { connectQmp } from "./qmp.ts";

const qmpDescriptor = 3;
/** Where the three files of an image are inside the monitor's jail. */
const inJail = { kernel: "/run/image/kernel", initrd: "/run/image/initrd", root: "/run/image/root" };

export const qemu: MonitorDriver = { name: "qemu", plan: planQemu, control: connectQmp };

function planQemu(spec: MachineSpec, host: HostFacts, sockets: MonitorSockets): MonitorPlan {
  if (spec.cpus > 64)
    throw new ClocheError("unsupported", `QEMU is given at most 64 CPUs, and ${spec.id} asks for ${spec.cpus}`);
  return {
    accelerator: host.kvm.usable ? "KVM" : "TCG (compatibility mode)",
    controlDescriptor: qmpDescriptor,
    process: {
      name: "qemu",
      argv: [
        ...["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
        ...machineArguments(spec, host),
        ...bootArguments(),
        ...controlArguments(),
        ...deviceArguments(spec, sockets),
      ],
      binds: [
        { source: spec.kernel, target: inJail.kernel, access: "ro" },
        { source: spec.initrd, target: inJail.initrd, access: "ro" },
        { source: spec.root, target: inJail.root, access: "ro" },
        ...(host.kvm.usable ? [{ source: "/dev/kvm", target: "/dev/kvm", access: "device" } as const] : []),
      ],
      network: "none",
    },
  };
}

function machineArguments(spec: MachineSpec, host: HostFacts): string[] {
  // Devices outside the monitor work on the guest's memory: it is one shared memfd, always.
  const memory = `memory-backend-memfd,id=ram,size=${spec.memoryMib}M,share=on`;
  return [
    ...["-machine", "q35,memory-backend=ram,usb=off,vmport=off,smbus=off,sata=off,hpet=off,i8042=off"],
    ...["-accel", host.kvm.usable ? "kvm" : "tcg,thread=multi", "-cpu", host.kvm.usable ? "host" : "max"],
    ...["-smp", String(spec.cpus), "-m", `${spec.memoryMib}M`, "-object", memory],
  ];
}

function bootArguments(): string[] {
  // The kernel's tests of its own ciphers take a third of its instructions to user land.
  const commandLine = "console=ttyS0 quiet loglevel=4 panic=-1 tsc=reliable random.trust_cpu=on cryptomgr.notests";
  return ["-kernel", inJail.kernel, "-initrd", inJail.initrd, "-append", commandLine];
}

/** The console is QEMU's standard output: the supervisor reads it, and bounds it. */
function controlArguments(): string[] {
  return [
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-chardev", `socket,id=qmp,fd=${qmpDescriptor}`, "-object", "monitor-qmp,id=qmp-monitor,chardev=qmp"],
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
      `driver=raw,node-name=root,read-only=on,file.driver=file,file.filename=${inJail.root},file.locking=off`,
    ],
    ...["-device", "virtio-blk-pci,drive=root,serial=root", "-device", "virtio-rng-pci"],
    ...[...socket("vsock", sockets.vsock), "-device", "vhost-user-vsock-pci,chardev=vsock"],
    ...shares,
    ...network,
  ];
}
