// The package as a user has it: packed, and installed by npm into an empty prefix.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packagePath } from "../../src/paths.ts";

export interface Installed extends AsyncDisposable {
  readonly prefix: string;
  /** The path of the program, which every user can run. */
  readonly cloche: string;
}

/** Packs the checkout, whose native parts are built, and installs it. About 20 s. */
export async function installPackage(): Promise<Installed> {
  const prefix = await mkdtemp(join(tmpdir(), "cloche-prefix-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(prefix, { recursive: true, force: true }));
  await chmod(prefix, 0o755);
  const npm = (...args: string[]) => execa("npm", args, { cwd: prefix, stdin: "ignore", all: true });
  const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", prefix], {
    cwd: packagePath(),
    stdin: "ignore",
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf("["))) as { filename: string }[];
  await npm("install", "--global", "--prefix", prefix, "--no-audit", "--no-fund", join(prefix, packed?.filename ?? ""));
  const resources = cleanup.move();
  return {
    prefix,
    cloche: join(prefix, "bin", "cloche"),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
