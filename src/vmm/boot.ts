// What is the same for every monitor: the three files of an image in its jail, and the kernel's command line.
import type { Bind } from "../jail/process-plan.ts";
import type { HostFacts } from "./contract.ts";
import type { MachineSpec } from "./machine-spec.ts";

/** Where the three files of an image are inside the monitor's jail. */
export const imageInJail = { kernel: "/run/image/kernel", initrd: "/run/image/initrd", root: "/run/image/root" };

/** The first serial port is the console. The kernel's tests of its own ciphers take a third of its instructions to user land. */
export const kernelCommandLine =
  "console=ttyS0 quiet loglevel=4 panic=-1 tsc=reliable random.trust_cpu=on cryptomgr.notests";

export const imageBinds = (spec: MachineSpec): Bind[] => [
  { source: spec.kernel, target: imageInJail.kernel, access: "ro" },
  { source: spec.initrd, target: imageInJail.initrd, access: "ro" },
  { source: spec.root, target: imageInJail.root, access: "ro" },
];

export const kvmBinds = (host: HostFacts): Bind[] =>
  host.kvm.usable ? [{ source: "/dev/kvm", target: "/dev/kvm", access: "device" }] : [];
