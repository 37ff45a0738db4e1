// Lays out one instance: every process it is made of, and the sockets between them. Pure.

import type { ClipboardPolicy } from "../display/lens.ts";
import { planLens } from "../display/lens.ts";
import { planWaypipe } from "../display/waypipe.ts";
import { filesInJail, planShare, shareSocketInJail } from "../files/share.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";
import { linkInJail, planVsockDevice, vhostVsockInJail } from "../link/vsock-device.ts";
import { networkInJail, networkSocketInJail, planNetwork } from "../network/passt.ts";
import type { HostFacts, MonitorDriver, MonitorPlan } from "../vmm/contract.ts";
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
  const monitor = driver.plan(spec, host, {
    vsock: vhostVsockInJail,
    shares: Object.fromEntries(spec.shares.map(({ tag }) => [tag, shareSocketInJail(tag)])),
    network: spec.network === "none" ? undefined : networkSocketInJail,
  });
  const binds = [
    ...monitor.process.binds,
    { source: directory.link, target: linkInJail, access: "rw" } as const,
    ...(spec.shares.length > 0 ? [{ source: directory.files, target: filesInJail, access: "rw" } as const] : []),
    ...(spec.network === "none" ? [] : [{ source: directory.network, target: networkInJail, access: "rw" } as const]),
  ];
  const windows =
    display === undefined
      ? []
      : [
          planLens(spec.id, directory.display, display.compositor, display.clipboard),
          planWaypipe(directory.link, directory.display),
        ];
  return {
    helpers: [
      planVsockDevice(directory.link),
      ...spec.shares.map((share) => planShare(share, directory.files)),
      ...(spec.network === "none" ? [] : [planNetwork(spec.network, directory.network)]),
      ...windows,
    ],
    monitor: { ...monitor, process: { ...monitor.process, binds } },
  };
}
