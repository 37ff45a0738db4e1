// The jail: bubblewrap namespaces with the monitor runtime, or the host's programs, as root. No home, no bus, no socket but those bound in.
import { join } from "node:path";
import { ClocheError } from "../errors.ts";
import { findProgram } from "../find-program.ts";
import type { ProcessPlan } from "./process-plan.ts";

/** What every jail is built on. */
export interface JailHost {
  /** Absolute path of bubblewrap on the host. */
  readonly bwrap: string;
  /** The root directory of the monitor runtime. */
  readonly runtimeRoot: string;
  /** The directory of Cloche's own executables; it is /run/cloche in the jail. */
  readonly nativeDirectory: string;
}

/** Where `nativeDirectory` is inside every jail. */
export const nativeInJail = (program: string): string => join("/run/cloche", program);

/** Finds bubblewrap on PATH. Throws `missing-program`. */
export async function findBwrap(): Promise<string> {
  const path = await findProgram("bwrap");
  if (path !== undefined) return path;
  throw new ClocheError("missing-program", "bubblewrap (bwrap) is not on PATH", {
    hint: "Install it: on Debian, apt install bubblewrap.",
  });
}

/** The argv that starts `plan` in its jail. Descriptors from 3 on are inherited by bubblewrap and by the program. */
export function jailArgv(plan: ProcessPlan, host: JailHost): string[] {
  const binds = plan.binds.flatMap(({ source, target, access }) => [bindOption[access], source, target]);
  const environment = { PATH: "/usr/bin:/usr/sbin", LANG: "C.UTF-8", HOME: "/tmp", ...plan.environment };
  return [
    host.bwrap,
    ...["--die-with-parent", "--new-session", "--unshare-all", "--cap-drop", "ALL"],
    // A share's server acts as the guest's user, so both have the same number; on the host it is the user's own.
    ...["--uid", "1000", "--gid", "1000", "--hostname", "cloche"],
    ...(plan.network === "host" ? ["--share-net"] : []),
    ...(plan.system === "host" ? hostSystem : ["--ro-bind", host.runtimeRoot, "/"]),
    ...["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run"],
    ...[
      "--ro-bind",
      host.nativeDirectory,
      "/run/cloche",
      ...binds,
      ...emptyDirectories(plan),
      "--remount-ro",
      "/run",
      "--chdir",
      "/",
      "--clearenv",
    ],
    ...Object.entries(environment).flatMap(([key, value]) => ["--setenv", key, value]),
    "--",
    ...plan.argv,
  ];
}

/** Programs and libraries of the host, wherever its distribution has them; nothing of its users, and no settings. */
const hostSystem = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/nix/store", "/gnu/store"].flatMap(
  (path) => ["--ro-bind-try", path, path],
);

/** The root's own /sys is empty, but nothing can be made in it. */
function emptyDirectories({ emptyDirectories = [] }: ProcessPlan): string[] {
  const made = emptyDirectories.flatMap((path) => ["--dir", path]);
  return emptyDirectories.some((path) => path.startsWith("/sys/"))
    ? ["--tmpfs", "/sys", ...made, "--remount-ro", "/sys"]
    : made;
}

const bindOption = { ro: "--ro-bind", rw: "--bind", device: "--dev-bind" } as const;
