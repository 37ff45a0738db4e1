// KVM: whether guest code runs on it.
import { access, constants, stat } from "node:fs/promises";
import type { Finding } from "./finding.ts";

export async function checkKvm(): Promise<Omit<Finding, "name">> {
  const { probeHost } = await import("../vmm/probe.ts");
  const { kvm } = await probeHost("qemu");
  if (kvm.usable) return { verdict: "ok", text: "runs guest code" };
  return {
    verdict: "warn",
    text: `${kvm.reason}; instances run in compatibility mode, much slower`,
    hint: await remedy(),
  };
}

async function remedy(): Promise<string> {
  if (!(await stat("/dev/kvm").catch(() => undefined)))
    return "Enable virtualisation in the firmware's settings, or nested virtualisation where this is a virtual machine.";
  const isOpen = await access("/dev/kvm", constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return isOpen
    ? "This machine's processor, or the machine that it runs in, does not let guests run: ask for nested virtualisation."
    : "Join the group of /dev/kvm: sudo usermod -aG kvm $USER, then log in again.";
}
