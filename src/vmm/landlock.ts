// Whether this kernel has Landlock as cloud-hypervisor asks for it: all or nothing, in its third version.
import { readFile } from "node:fs/promises";
import { release } from "node:os";

/** The first Linux with that version. */
const needed = { major: 6, minor: 2 } as const;

/** Why it has not, as a clause; undefined where it has, as far as can be told without asking for it. */
export async function findLandlockLack(): Promise<string | undefined> {
  // Readable by everyone, but not mounted everywhere.
  const modules = await readFile("/sys/kernel/security/lsm", "utf8").catch(() => undefined);
  return judgeLandlock(release(), modules);
}

export function judgeLandlock(kernel: string, modules: string | undefined): string | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  const isOld = Number(major) < needed.major || (Number(major) === needed.major && Number(minor) < needed.minor);
  if (isOld)
    return `its Landlock confinement takes Linux ${needed.major}.${needed.minor}, and this is ${kernel.slice(0, 60)}`;
  if (modules !== undefined && !modules.trim().split(",").includes("landlock"))
    return "its Landlock confinement is switched off in this kernel";
  return undefined;
}
