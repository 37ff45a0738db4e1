// The monitors that the same assertions are made of, and why one of them cannot run here.
import { probeKvm } from "../../native/bindings/index.ts";
import { findProgram } from "../../src/find-program.ts";
import type { Feature } from "../support/require.ts";

export interface Monitor {
  readonly name: "qemu-tcg" | "qemu-kvm" | "cloud-hypervisor" | "crosvm";
  /** For `--vmm`. */
  readonly vmm: "qemu" | "cloud-hypervisor" | "crosvm";
  /** The beginning of what `inspect` says. */
  readonly accelerator: "KVM" | "TCG";
}

export const monitors = {
  qemuTcg: { name: "qemu-tcg", vmm: "qemu", accelerator: "TCG" },
  qemuKvm: { name: "qemu-kvm", vmm: "qemu", accelerator: "KVM" },
  cloudHypervisor: { name: "cloud-hypervisor", vmm: "cloud-hypervisor", accelerator: "KVM" },
  crosvm: { name: "crosvm", vmm: "crosvm", accelerator: "KVM" },
} as const satisfies Record<string, Monitor>;

export interface Lack {
  readonly feature: Feature;
  /** In words. */
  readonly reason: string;
}

/** As long as cloche itself looks at it. */
const probeDeadlineMs = 900;

/** The argv that runs a program where /dev/kvm is not: QEMU takes KVM wherever it works. */
export const withoutKvm: readonly string[] = [
  ...["unshare", "--mount", "--", "sh", "-c", 'mount --bind /dev/null /dev/kvm && exec "$@"', "sh"],
];

/** What this machine lacks for the monitor, if anything; `hidesKvm` where KVM has to be hidden from it. */
export async function examine({ accelerator, vmm }: Monitor): Promise<{ lack?: Lack; hidesKvm?: boolean }> {
  const kvm = await probeKvm("/dev/kvm", probeDeadlineMs);
  if (accelerator === "TCG") {
    if (!kvm.usable) return {};
    if (process.geteuid?.() === 0) return { hidesKvm: true };
    return { lack: { feature: "tcg", reason: "KVM works here, and only root can hide it" } };
  }
  if (!kvm.usable) return { lack: { feature: "kvm", reason: kvm.reason } };
  if (vmm === "qemu") return {};
  const variable = vmm === "crosvm" ? "CLOCHE_CROSVM" : "CLOCHE_CLOUD_HYPERVISOR";
  if ((process.env[variable] ?? (await findProgram(vmm))) !== undefined) return {};
  return { lack: { feature: vmm, reason: `${vmm} is not on PATH` } };
}
