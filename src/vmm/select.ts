// The one place where the weaker choice is made: which monitor runs an instance, and on what.
import { ClocheError } from "../errors.ts";
import type { HostFacts, MonitorDriver } from "./contract.ts";
import { qemu } from "./qemu.ts";

export interface Selection {
  readonly driver: MonitorDriver;
  /** The choice and its reason, said at launch and by `inspect`. */
  readonly reason: string;
}

const drivers: readonly MonitorDriver[] = [qemu];
export const monitorChoices: readonly string[] = ["auto", ...drivers.map(({ name }) => name)];

/** `wanted` is what the user typed for `--vmm`. Throws `unsupported` for a monitor that there is no driver for. */
export function selectMonitor(wanted: string, host: HostFacts): Selection {
  const driver = wanted === "auto" ? drivers[0] : drivers.find(({ name }) => name === wanted);
  if (driver === undefined) {
    throw new ClocheError("unsupported", `there is no monitor ${wanted}`, {
      hint: `Known: ${monitorChoices.join(", ")}.`,
    });
  }
  const accelerator = host.kvm.usable ? "with KVM" : `without KVM, in compatibility mode: ${host.kvm.reason}`;
  return { driver, reason: `${driver.name} ${accelerator}` };
}
