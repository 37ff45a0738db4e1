// Directories of the host that an instance sees: its home, and what `--share` names. Served by virtiofsd, enforced here.
import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ClocheError } from "../errors.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";
import { dataDirectory } from "../paths.ts";
import type { Share } from "../vmm/machine-spec.ts";

export const filesInJail = "/run/files";
const guestHome = "/home/user";

/** The virtiofs server's socket for a share, inside jails. */
export const shareSocketInJail = (tag: string): string => `${filesInJail}/${tag}`;

/** An instance's own home on the host, made when it is missing. */
export async function homeShare(id: string): Promise<Share> {
  const directory = join(dataDirectory(), "homes", id);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return { tag: "home", directory: await realpath(directory), readOnly: false, mountPoint: guestHome };
  } catch (cause) {
    throw new ClocheError("state", `the home of ${id} cannot be made in ${directory}`, { cause });
  }
}

/** Reads one `--share DIR[:ro]`; `index` numbers them. Throws `usage` for what is not a directory. */
export async function parseShare(text: string, index: number): Promise<Share> {
  const readOnly = text.endsWith(":ro");
  const path = resolve(text.replace(/:(ro|rw)$/, ""));
  try {
    const directory = await realpath(path);
    if (!(await stat(directory)).isDirectory()) throw new ClocheError("usage", `--share: ${path} is not a directory`);
    if (directory === "/") throw new ClocheError("usage", "--share: the whole file system cannot be shared");
    return { tag: `share${index}`, directory, readOnly, mountPoint: `/mnt/${basename(directory)}` };
  } catch (cause) {
    if (cause instanceof ClocheError) throw cause;
    throw new ClocheError("usage", `--share: ${path} cannot be opened`, {
      cause,
      hint: "Name a directory: --share DIR or --share DIR:ro.",
    });
  }
}

/** Two shares of one base name would hide one another. Throws `usage`. */
export function checkMountPoints(shares: readonly Share[]): void {
  for (const [index, share] of shares.entries()) {
    const twin = shares.slice(0, index).find(({ mountPoint }) => mountPoint === share.mountPoint);
    if (twin)
      throw new ClocheError(
        "usage",
        `--share: ${twin.directory} and ${share.directory} would both be ${share.mountPoint}`,
      );
  }
}

/** The server of one share. It sees nothing but the share, and a read-only one only through a read-only mount. */
export function planShare(share: Share, filesDirectory: string): ProcessPlan {
  return {
    name: `share-${share.tag}`,
    argv: [
      "/usr/libexec/virtiofsd",
      // A monitor that is not told the tag asks the server for it.
      ...["--shared-dir", "/share", "--socket-path", shareSocketInJail(share.tag), "--tag", share.tag],
      // The jail is the sandbox: an own mount, PID and network namespace whose only writable place is the share.
      ...["--sandbox", "none", "--seccomp", "kill", "--cache", "auto", "--inode-file-handles=never"],
      ...(share.readOnly ? ["--readonly"] : []),
    ],
    binds: [
      { source: filesDirectory, target: filesInJail, access: "rw" },
      { source: share.directory, target: "/share", access: share.readOnly ? "ro" : "rw" },
    ],
    network: "none",
    listensOn: join(filesDirectory, share.tag),
  };
}
