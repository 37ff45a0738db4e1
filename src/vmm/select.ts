// The one place where the weaker choice is made: which monitor runs an instance, and on what.
import { ClocheError } from "../errors.ts";
import { cloudHypervisor } from "./cloud-hypervisor.ts";
import type { HostFacts, MonitorDriver, Needs } from "./contract.ts";
import { crosvm } from "./crosvm.ts";
import { qemu } from "./qemu.ts";

export interface Selection {
  readonly driver: MonitorDriver;
  /** The choice and its reason, said at launch and by `inspect`. */
  readonly reason: string;
}

export const drivers: readonly MonitorDriver[] = [cloudHypervisor, crosvm, qemu];
export const monitorChoices: readonly string[] = ["auto", ...drivers.map(({ name }) => name)];

/** What `auto` tries, in this order. crosvm is left to those who name it: it has no versions by which a bad one could be told. */
const automatic: readonly { readonly driver: MonitorDriver; readonly merit: string }[] = [
  { driver: cloudHypervisor, merit: "it has the fewest devices, and confines itself with seccomp and Landlock" },
  { driver: qemu, merit: "it comes with Cloche" },
];

export interface Wish extends Needs {
  /** What the user typed for `--vmm`. */
  readonly monitor: string;
}

/** Throws `unsupported`, with the reason, for a monitor that cannot run here; `usage` for a wish that no other monitor can fulfil. */
export function selectMonitor(wish: Wish, host: HostFacts): Selection {
  const selection = wish.monitor === "auto" ? selectBest(wish, host) : selectNamed(wish, host);
  if (!wish.withoutCrosvmSandbox) return selection;
  if (selection.driver !== crosvm)
    throw new ClocheError("usage", "--crosvm-disable-sandbox is for --vmm crosvm, and for no other monitor");
  return { ...selection, reason: `${selection.reason}; ${sandboxWarning}` };
}

const sandboxWarning =
  "--crosvm-disable-sandbox was given: all its devices run in one process, so a guest that takes over one of them has the whole monitor, and only Cloche's jail round it";

function selectNamed(wish: Wish, host: HostFacts): Selection {
  const wanted = wish.monitor;
  const driver = drivers.find(({ name }) => name === wanted);
  if (driver === undefined) {
    throw new ClocheError("unsupported", `there is no monitor ${wanted}`, {
      hint: `Known: ${monitorChoices.join(", ")}.`,
    });
  }
  const lack = driver.lack(host, wish);
  if (lack !== undefined)
    throw new ClocheError("unsupported", `${wanted} cannot be used: ${lack.reason}`, { hint: lack.hint });
  return { driver, reason: host.kvm.usable ? `${describe(driver, host)}, as asked for` : withoutKvm(driver, host) };
}

function selectBest(wish: Wish, host: HostFacts): Selection {
  // What cannot run without KVM is not worth a word there.
  if (!host.kvm.usable) return { driver: qemu, reason: withoutKvm(qemu, host) };
  const passed: string[] = [];
  for (const { driver, merit } of automatic) {
    const lack = driver.lack(host, wish);
    if (lack === undefined) return { driver, reason: [`${describe(driver, host)}: ${merit}`, ...passed].join("; ") };
    passed.push(`not ${driver.name}: ${lack.reason}`);
  }
  throw new ClocheError("unsupported", `there is no monitor that can run here: ${passed.join("; ")}`);
}

function describe({ name }: MonitorDriver, host: HostFacts): string {
  const found = name === "qemu" ? undefined : host.installed[name];
  return `${name}${found?.usable ? ` ${found.version}` : ""} with KVM`;
}

const withoutKvm = ({ name }: MonitorDriver, { kvm }: HostFacts): string =>
  `${name} without KVM, in compatibility mode: ${kvm.reason}`;
