// A network namespace that plays the host's network, with an internet, a local network and a resolver that tests know.
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { packagePath } from "../../src/paths.ts";

export const addresses = { public: "198.51.100.1", local: "192.168.77.1" };

export interface NetworkHost extends AsyncDisposable {
  /** The argv that runs a program on that network. */
  command(argv: readonly string[]): string[];
}

/** Why there can be no such network here; undefined where there can. */
export function networkLack(): string | undefined {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return "/dev/net/tun cannot be opened";
  }
}

/** Root lends the ordinary user the device, which most systems give to everyone. */
const lendTun = 'mknod -m 666 "$1" c 10 200 && mount --bind "$1" /dev/net/tun && shift && exec "$@"';

/** Makes it; it ends with the returned object, or with this process. `directory` is the user's. */
export async function startNetworkHost(directory: string): Promise<NetworkHost> {
  const isRoot = process.geteuid?.() === 0;
  // An ordinary user stays who they are, with the privilege over a namespace of their own.
  const unshare = isRoot ? ["--net"] : ["--map-current-user", "--keep-caps", "--net"];
  const script = packagePath("test", "parity", "fixtures", "network-host.ts");
  const child = execa("unshare", [...unshare, "--", process.execPath, script], { stdin: "pipe", reject: false });
  const ended = child.then(({ stderr }) => Promise.reject(new Error(`the network did not come up: ${stderr}`)));
  ended.catch(() => {});
  await Promise.race([once(child.stdout, "data"), ended]);
  const enter = ["nsenter", "--target", String(child.pid), "--net"];
  const lend = ["unshare", "--mount", "--", "sh", "-c", lendTun, "sh"];
  let lent = 0;
  return {
    command(argv) {
      if (!isRoot) return [...enter, "--user", "--preserve-credentials", "--", ...argv];
      lent += 1;
      return [...enter, "--", ...lend, join(directory, `tun-${lent}`), ...argv];
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await child;
    },
  };
}
