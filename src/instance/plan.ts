// Lays out one instance: every process it is made of, and the sockets between them. Pure.

import { gpuDeviceInJail, gpuInJail, planGpu } from "../display/gpu.ts";
import { type ClipboardPolicy, displayBind, lensInJail, planLens } from "../display/lens.ts";
import { filesInJail, planShare, shareSocketInJail } from "../files/share.ts";
import type { Bind, ProcessPlan } from "../jail/process-plan.ts";
import { guestCid, linkInJail, linkSocketInJail, planVsockDevice, vhostVsockInJail } from "../link/vsock-device.ts";
import { networkInJail, networkSocketInJail, planNetwork } from "../network/passt.ts";
import { type HostFacts, type MonitorDriver, type MonitorPlan, monitorInJail } from "../vmm/contract.ts";
import type { MachineSpec } from "../vmm/machine-spec.ts";
import type { InstanceDirectory } from "./directory.ts";

export interface DisplayRequest {
  /** The compositor's socket on the host. */
  readonly compositor: string;
  readonly clipboard: ClipboardPolicy;
}

export interface InstancePlan {
  /** All that must listen before the monitor starts. */
  readonly helpers: readonly ProcessPlan[];
  readonly monitor: MonitorPlan;
}

/** Throws `unsupported` where the monitor or the host cannot do what `spec` says. */
export function planInstance(
  spec: MachineSpec,
  display: DisplayRequest | undefined,
  directory: Omit<InstanceDirectory, "lock">,
  driver: MonitorDriver,
  host: HostFacts,
): InstancePlan {
  const hasShares = spec.shares.length > 0;
  const hasNetwork = spec.network !== "none";
  const monitor = driver.plan(spec, host, {
    link: { guestCid, device: vhostVsockInJail, hybrid: linkSocketInJail },
    shares: Object.fromEntries(spec.shares.map(({ tag }) => [tag, shareSocketInJail(tag)])),
    network: hasNetwork ? networkSocketInJail : undefined,
    display: display && { device: gpuDeviceInJail, wayland: lensInJail },
  });
  // It makes sockets only where it has something of its own; to those of others it can connect, and no more.
  const own: Bind[] = [
    { source: directory.monitor, target: monitorInJail, access: "rw" },
    { source: directory.link, target: linkInJail, access: driver.own.link ? "rw" : "ro" },
  ];
  const others: Bind[] = [
    ...(hasShares ? [{ source: directory.files, target: filesInJail, access: "ro" } as const] : []),
    ...(hasNetwork ? [{ source: directory.network, target: networkInJail, access: "ro" } as const] : []),
    ...(display
      ? [
          driver.own.display
            ? ({ ...displayBind(directory.display), access: "ro" } as const)
            : ({ source: directory.gpu, target: gpuInJail, access: "ro" } as const),
        ]
      : []),
  ];
  const lens = display && planLens(spec.id, directory.display, display.compositor, display.clipboard);
  return {
    helpers: [
      ...(driver.own.link ? [] : [planVsockDevice(directory.link)]),
      ...spec.shares.map((share) => planShare(share, directory.files)),
      ...(hasNetwork ? [planNetwork(spec.network, directory.network)] : []),
      ...(lens ? [lens] : []),
      ...(lens && !driver.own.display ? [planGpu(directory.gpu, directory.display)] : []),
    ],
    monitor: {
      ...monitor,
      process: { ...monitor.process, binds: [...monitor.process.binds, ...own, ...others] },
      ...(monitor.commander && { commander: showMonitorSockets(monitor.commander, directory.monitor) }),
    },
  };
}

/** It connects to them, and no more. */
const showMonitorSockets = (plan: ProcessPlan, monitorDirectory: string): ProcessPlan => ({
  ...plan,
  binds: [...plan.binds, { source: monitorDirectory, target: monitorInJail, access: "ro" }],
});
