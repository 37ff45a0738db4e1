// The jail: bubblewrap, tried with every namespace that an instance's processes get.
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { findBwrap } from "../jail/bwrap.ts";
import type { Finding } from "./finding.ts";

const timeoutMs = 10_000;

export async function checkSandbox(): Promise<Omit<Finding, "name">> {
  const bwrap = await findBwrap();
  const { exitCode, stderr, failed } = await execa(
    bwrap,
    [
      ...["--die-with-parent", "--new-session", "--unshare-all", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000"],
      ...[
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--tmpfs",
        "/tmp",
        "--clearenv",
        "--",
        "/bin/true",
      ],
    ],
    { reject: false, timeout: timeoutMs, stdin: "ignore" },
  );
  if (!failed) return { verdict: "ok", text: `${bwrap} runs a program in namespaces of its own` };
  const said = stderr.trim().split("\n")[0] || `it ended with status ${exitCode}`;
  const hint = remedyFor(await readSettings());
  return { verdict: "fail", text: `bubblewrap cannot make a jail: ${said}`, ...(hint !== undefined && { hint }) };
}

export interface KernelSettings {
  /** Contents of the files; undefined where this kernel has none of that name. */
  readonly unprivilegedClone: string | undefined;
  readonly apparmorRestriction: string | undefined;
  readonly maxUserNamespaces: string | undefined;
}

/** What the kernel refuses, and how it is allowed. */
export function remedyFor(settings: KernelSettings): string | undefined {
  if (settings.unprivilegedClone === "0")
    return "The kernel allows no user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1.";
  if (settings.maxUserNamespaces === "0")
    return "The kernel allows no user namespaces: sudo sysctl -w user.max_user_namespaces=15000.";
  if (settings.apparmorRestriction === "1")
    return (
      "AppArmor keeps user namespaces from bubblewrap (Ubuntu 24.04 and later): allow them to /usr/bin/bwrap in a profile, " +
      "or for all with sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0."
    );
  return undefined;
}

async function readSettings(): Promise<KernelSettings> {
  const read = (name: string) =>
    readFile(`/proc/sys/${name}`, "utf8").then(
      (text) => text.trim(),
      () => undefined,
    );
  const [unprivilegedClone, apparmorRestriction, maxUserNamespaces] = await Promise.all([
    read("kernel/unprivileged_userns_clone"),
    read("kernel/apparmor_restrict_unprivileged_userns"),
    read("user/max_user_namespaces"),
  ]);
  return { unprivilegedClone, apparmorRestriction, maxUserNamespaces };
}
