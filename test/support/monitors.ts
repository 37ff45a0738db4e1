// A machine, its sockets and two hosts for tests of the drivers' plans.
import type { HostFacts, MonitorSockets } from "../../src/vmm/contract.ts";
import type { MachineSpec } from "../../src/vmm/machine-spec.ts";

export const spec: MachineSpec = {
  id: "foot@work",
  cpus: 2,
  memoryMib: 512,
  kernel: "/store/kernel",
  initrd: "/store/initrd",
  root: "/store/root",
  shares: [{ tag: "home", directory: "/data/home", readOnly: false, mountPoint: "/home/user" }],
  network: "none",
};

export const sockets: MonitorSockets = {
  link: { guestCid: 3, device: "/run/link/vhost", hybrid: "/run/link/vsock" },
  shares: { home: "/run/files/home" },
  network: undefined,
  display: undefined,
};

export const display = { device: "/run/gpu/device", wayland: "/run/display/wayland" } as const;

const supervisor = { isRoot: false, maxOpenFiles: 524_288 };

export const hostWithoutKvm: HostFacts = {
  kvm: { usable: false, reason: "no such device" },
  installed: {},
  landlockLack: undefined,
  supervisor,
};

const libc = { name: "libc.so.6", path: "/lib/x86_64-linux-gnu/libc.so.6" };

/** With both monitors that a user can install. */
export const hostWithKvm: HostFacts = {
  kvm: { usable: true, reason: "" },
  installed: {
    "cloud-hypervisor": {
      usable: true,
      version: "53.0",
      options: [],
      program: { path: "/usr/bin/cloud-hypervisor", loader: undefined, libraries: [] },
    },
    crosvm: {
      usable: true,
      version: "0.1.0",
      options: ["--nested"],
      program: { path: "/usr/bin/crosvm", loader: "/lib64/ld-linux-x86-64.so.2", libraries: [libc] },
    },
  },
  landlockLack: undefined,
  supervisor,
};
