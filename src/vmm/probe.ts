// What the host can run, found by trying.
import { readFile } from "node:fs/promises";
import { probeKvm } from "../../native/bindings/index.ts";
import { scaled } from "../deadlines.ts";
import type { HostFacts, InstalledName } from "./contract.ts";
import { findInstalled } from "./installed.ts";
import { findLandlockLack } from "./landlock.ts";

/** Milliseconds. The guest code takes a few where there is hardware, and about a tenth of this in an emulated machine. */
const kvmDeadlineMs = scaled(900);

/** Looks only for the monitors that `wanted`, what the user typed for `--vmm`, can mean. */
export async function probeHost(wanted: string): Promise<HostFacts> {
  const kvm = await probeKvm("/dev/kvm", kvmDeadlineMs);
  const names = (["cloud-hypervisor", "crosvm"] as const).filter((name) => isWorthFinding(name, wanted, kvm.usable));
  const found = await Promise.all(names.map(async (name) => [name, await findInstalled(name)] as const));
  return {
    kvm,
    installed: Object.fromEntries(found),
    landlockLack: await findLandlockLack(),
    supervisor: { isRoot: process.geteuid?.() === 0, maxOpenFiles: await readMaxOpenFiles() },
  };
}

/** proc_pid_limits(5): the name, the soft limit and the hard one. */
async function readMaxOpenFiles(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(limits)?.[1];
  return hard === undefined || hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Without KVM neither is taken by itself. */
const isWorthFinding = (name: InstalledName, wanted: string, hasKvm: boolean): boolean =>
  wanted === name || wanted === "all" || (wanted === "auto" && hasKvm);
