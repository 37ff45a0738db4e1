// The tree that the tests run in: Debian's xdg-desktop-portal and its installed tests, kept in the user's cache.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as bindings from "../../native/bindings/index.ts";
import * as fdpass from "../../native/fdpass/index.ts";
import { debianRelease } from "../../src/image/mirror.ts";
import { bootstrap } from "../../src/image/packages.ts";
import { openStore } from "../../src/image/store.ts";
import { runTool } from "../../src/image/tool.ts";
import { cacheDirectory } from "../../src/paths.ts";
import { silentProgress } from "../../src/progress.ts";

const packages = [
  "dbus-daemon",
  "fuse3", // mounts the document portal
  "libcap2-bin", // tells the tests that it can be mounted
  "mount",
  "python3-dbusmock",
  "python3-pytest",
  "util-linux",
  "xdg-desktop-portal",
  "xdg-desktop-portal-tests",
];
const remove = ["usr/share/doc", "usr/share/locale", "usr/share/man"];
/** Bytes: the packages, the archive and the tree. */
const needsBytes = 2_000 * 2 ** 20;

/** Its path; made where there is none of these packages. */
export async function ensureRoot(): Promise<string> {
  const recipe = JSON.stringify([debianRelease, packages, remove]);
  const digest = createHash("sha256").update(recipe).digest("hex").slice(0, 16);
  const root = join(cacheDirectory("conformance"), digest);
  await mkdir(dirname(root), { recursive: true });
  const lock = await bindings.lockFile(`${root}.lock`, true);
  try {
    if (!existsSync(root)) await buildRoot(root);
  } finally {
    fdpass.close(lock);
  }
  return root;
}

async function buildRoot(root: string): Promise<void> {
  const [archive, unpacked] = [`${root}.tar`, `${root}.new`];
  await using cleanup = new AsyncDisposableStack();
  for (const path of [archive, unpacked]) cleanup.defer(() => rm(path, { recursive: true, force: true }));
  await bootstrap(await openStore(), {
    kind: "install",
    packages,
    backports: false,
    remove,
    target: archive,
    needsBytes,
    what: "the tests of xdg-desktop-portal",
    step: silentProgress.step(""),
  });
  await mkdir(unpacked);
  // Whoever has the files in the archive, here they are the user's, and root's in the sandbox, which has devices of its own.
  await runTool({
    argv: ["tar", "--extract", "--no-same-owner", "--exclude=./dev", "--file", archive, "--directory", unpacked],
    failure: "the tests of xdg-desktop-portal cannot be unpacked",
    writesTo: unpacked,
  });
  await rename(unpacked, root);
}
