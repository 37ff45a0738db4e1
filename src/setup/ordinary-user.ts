// The ordinary user that desktops and applications run as: whoever runs this, or, where that is root, a user without any privilege.
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagePath } from "../paths.ts";

export interface OrdinaryUser extends AsyncDisposable {
  /** The checkout's root as this user sees it. */
  readonly checkout: string;
  /** A fresh directory of the user's, its mode 0700; removed at the end. */
  readonly directory: string;
  /** All of the environment that the user's processes get. */
  readonly environment: Readonly<Record<string, string>>;
  readonly uid: number;
  readonly gid: number;
  /** The argv that runs `argv` as this user. It ends when this process does. */
  command(argv: readonly string[]): [string, ...string[]];
}

/** Where the checkout is bound for a user who could not enter the directory that it lies in. */
const boundCheckout = "/mnt";

// A mount namespace of its own: the bind mount is seen by no other process and ends with the last one in it.
const bindAndDrop = `set -e
mount --bind "$1" ${boundCheckout}
mount -o remount,bind,ro ${boundCheckout}
cd /
reuid=$2 regid=$3 groups=$4
shift 4
exec setpriv --reuid "$reuid" --regid "$regid" "$groups" --pdeathsig TERM -- "$@"`;

const passedOn = ["LANG", "TERM", "CLOCHE_STORE", "CLOCHE_REQUIRE", "NO_COLOR"];

export async function becomeOrdinary(): Promise<OrdinaryUser> {
  const isRoot = process.geteuid?.() === 0;
  const uid = isRoot ? Number(process.env.SUDO_UID ?? 1000) : (process.getuid?.() ?? 1000);
  const gid = isRoot ? Number(process.env.SUDO_GID ?? 1000) : (process.getgid?.() ?? 1000);
  const directory = await mkdtemp(join(tmpdir(), "cloche-user-"));
  const home = join(directory, "home");
  const runtime = join(directory, "run");
  for (const path of [home, runtime]) await mkdir(path, { mode: 0o700 });
  for (const path of isRoot ? [directory, home, runtime] : []) await chown(path, uid, gid);
  await chmod(directory, 0o700);
  const drop = ["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", bindAndDrop, "sh"];
  return {
    checkout: isRoot ? boundCheckout : packagePath(),
    directory,
    uid,
    gid,
    environment: {
      PATH: "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
      HOME: home,
      USER: "user",
      LOGNAME: "user",
      SHELL: "/bin/sh",
      LANG: "C.UTF-8",
      XDG_RUNTIME_DIR: runtime,
      // What an ordinary user has built stays theirs; root's store is the system's, which everyone reads.
      ...(isRoot ? {} : { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "/", ".cache") }),
      ...Object.fromEntries(passedOn.flatMap((key) => (process.env[key] ? [[key, process.env[key]]] : []))),
    },
    command: (argv) =>
      isRoot
        ? ["unshare", ...drop.slice(1), packagePath(), String(uid), String(gid), "--clear-groups", ...argv]
        : ["setpriv", "--pdeathsig", "TERM", "--", ...argv],
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
