// Monitors that the user has installed: found on PATH or by a variable, and asked what they are.
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { promisify } from "node:util";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { findProgram } from "../find-program.ts";
import { resolveHostProgram } from "../jail/host-program.ts";
import type { HostFacts, InstalledMonitor, InstalledName, Lack, UsableMonitor } from "./contract.ts";
import { type Requirement, requirements } from "./requirements.ts";

const answerTimeoutMs = scaled(5_000);
/** Bytes; the longest help has about sixty thousand. */
const maxAnswerBytes = 1 << 20;

/** Finds and asks it: some ten milliseconds. Never throws. */
export async function findInstalled(name: InstalledName): Promise<InstalledMonitor> {
  const requirement = requirements[name];
  const { program, variable, remedy } = requirement;
  const path = process.env[variable] || (await findProgram(program));
  if (path === undefined) return { usable: false, isInstalled: false, reason: "it is not on PATH", hint: remedy };
  try {
    await access(path, constants.X_OK);
    // First: what cannot be taken into the jail is not run.
    const resolved = await resolveHostProgram(path);
    const [version, help] = await Promise.all([
      ask(path, requirement.versionArguments),
      ask(path, requirement.helpArguments),
    ]);
    const judged = judge(requirement, version, help);
    if (typeof judged !== "string") return { usable: true, program: resolved, ...judged };
    return { usable: false, isInstalled: true, reason: `${path} ${judged}`, hint: remedy };
  } catch (error) {
    const { message, hint = remedy } = error instanceof ClocheError ? error : { message: `${path} cannot be run` };
    return { usable: false, isInstalled: true, reason: message, hint };
  }
}

export interface Judgement {
  readonly version: string;
  /** Those of the optional options that it has. */
  readonly options: readonly string[];
}

/** What a program with these answers is, or why it cannot be used. */
export function judge(requirement: Requirement, version: string, help: string): Judgement | string {
  const [, text, major] = requirement.versionPattern.exec(version) ?? [];
  if (text === undefined) return "does not tell its version";
  if (Number(major) < requirement.minimum)
    return `is version ${text}, and ${requirement.minimum} is the oldest that works`;
  const missing = Object.entries(requirement.options).find(([option]) => !help.includes(option));
  if (missing) return `has no ${missing[0].replace(/=$/, "")}, which is for ${missing[1]}`;
  return { version: text, options: requirement.optional.filter((option) => help.includes(option)) };
}

async function ask(path: string, args: readonly string[]): Promise<string> {
  const limits = { timeout: answerTimeoutMs, maxBuffer: maxAnswerBytes };
  const { stdout } = await promisify(execFile)(path, [...args], limits);
  return stdout;
}

/** Why an installed monitor cannot run on this host. All of them take KVM. */
export function installedLack(name: InstalledName, { kvm, installed }: HostFacts): Lack | undefined {
  if (!kvm.usable) {
    const hint = "QEMU runs without KVM, in compatibility mode: --vmm qemu.";
    return { reason: `it runs only with KVM, and here is none: ${kvm.reason}`, hint };
  }
  const found = installed[name];
  if (found === undefined) return { reason: "nobody has looked for it", hint: requirements[name].remedy };
  return found.usable ? undefined : found;
}

/** What `installedLack` has nothing against. Throws `unsupported`. */
export function requireInstalled(name: InstalledName, host: HostFacts): UsableMonitor {
  const lack = installedLack(name, host);
  const found = host.installed[name];
  if (lack === undefined && found?.usable) return found;
  throw new ClocheError("unsupported", `${name} cannot be used: ${lack?.reason}`, { hint: lack?.hint ?? "" });
}
