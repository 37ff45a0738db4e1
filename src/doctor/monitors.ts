// The monitors of the user's own: there, new enough, and running in the jail.
import { execa } from "execa";
import { findBwrap, jailArgv } from "../jail/bwrap.ts";
import { placeInJail } from "../jail/host-program.ts";
import { nativeDirectory } from "../paths.ts";
import type { InstalledName, UsableMonitor } from "../vmm/contract.ts";
import type { Finding } from "./finding.ts";
import { storedRuntime } from "./runtime.ts";

const timeoutMs = 10_000;

/** A warning at most: QEMU is always there. */
export async function checkMonitor(name: InstalledName): Promise<Omit<Finding, "name">> {
  const { findInstalled } = await import("../vmm/installed.ts");
  const found = await findInstalled(name);
  if (!found.usable && !found.isInstalled) return { verdict: "ok", text: "not installed; instances run on QEMU" };
  if (!found.usable) return { verdict: "warn", text: found.reason, hint: found.hint };
  return (await tryInJail(name, found)) ?? (await checkHost(name, found));
}

/** With its libraries beside the runtime's; undefined where it runs, or where no runtime is built yet. */
async function tryInJail(name: InstalledName, { program }: UsableMonitor): Promise<Omit<Finding, "name"> | undefined> {
  const root = await storedRuntime();
  if (root === undefined) return undefined;
  const { requirements } = await import("../vmm/requirements.ts");
  const { argv, binds } = placeInJail(program);
  const plan = { name, argv: [...argv, ...requirements[name].versionArguments], binds, network: "none" } as const;
  const host = { bwrap: await findBwrap(), runtimeRoot: root, nativeDirectory: nativeDirectory() };
  const [file = "", ...args] = jailArgv(plan, host);
  const { failed, stderr } = await execa(file, args, { reject: false, timeout: timeoutMs, stdin: "ignore" });
  if (!failed) return undefined;
  const said = stderr.trim().split("\n").at(-1) || "it does not end";
  return {
    verdict: "warn",
    text: `${program.path} does not run in the jail: ${said}`,
    hint: requirements[name].remedy,
  };
}

/** What else it needs of this machine; that KVM is missing is told by another check. */
async function checkHost(name: InstalledName, { version, program }: UsableMonitor): Promise<Omit<Finding, "name">> {
  const { probeHost } = await import("../vmm/probe.ts");
  const { drivers } = await import("../vmm/select.ts");
  const facts = await probeHost(name);
  const text = `${version} at ${program.path} runs in the jail`;
  if (!facts.kvm.usable) return { verdict: "ok", text: `${text}; guests take KVM` };
  const lack = drivers.find((driver) => driver.name === name)?.lack(facts, { hasWindows: true });
  return lack === undefined
    ? { verdict: "ok", text }
    : { verdict: "warn", text: `${text}, but cannot show windows: ${lack.reason}`, hint: lack.hint };
}
