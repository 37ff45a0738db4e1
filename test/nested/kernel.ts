// The nested machine's kernel and modules: the guests' own kernel package, with what a host of guests needs of it.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildContext } from "../../src/image/context.ts";
import { withLock } from "../../src/image/lock.ts";
import { packModules } from "../../src/image/modules.ts";
import { asStep } from "../../src/image/once.ts";
import { bootstrap } from "../../src/image/packages.ts";
import { parseList, readRecipe } from "../../src/image/recipe.ts";
import type { Runtime } from "../../src/image/runtime.ts";
import { extractVmlinux } from "../../src/image/vmlinux.ts";
import { withWorkDirectory } from "../../src/image/work-directory.ts";
import { cacheDirectory, packagePath } from "../../src/paths.ts";

export interface MachineKernel {
  readonly vmlinux: string;
  /** A part of the initramfs: /modules/NN-name.ko in loading order. */
  readonly modules: string;
}

/** Bytes on disk while it is taken out of its package. */
const needsBytes = 1_000 * 2 ** 20;

/** Made once for each recipe, and kept in the user's cache. */
export async function ensureMachineKernel(context: BuildContext, runtime: Runtime): Promise<MachineKernel> {
  const [packages, modules] = await Promise.all([
    readRecipe("kernel", "packages.txt"),
    readFile(packagePath("test", "nested", "modules.txt"), "utf8"),
  ]);
  const digest = createHash("sha256")
    .update(JSON.stringify([packages, modules]))
    .digest("hex")
    .slice(0, 16);
  const parent = cacheDirectory("nested");
  const directory = join(parent, digest);
  const kernel = { vmlinux: join(directory, "vmlinux"), modules: join(directory, "modules.cpio") };
  await mkdir(parent, { recursive: true });
  await withLock(join(parent, "lock"), { signal: context.signal }, async () => {
    if (await stat(directory).catch(() => undefined)) return;
    await asStep(context, "Preparing the nested machine's kernel", 15, async (step) => {
      const made = await withWorkDirectory(context.store, async (work) => {
        const tree = join(work, "tree");
        const names = parseList(packages);
        const plan = { kind: "extract", backports: false, packages: names, remove: [], target: tree } as const;
        await bootstrap(context.store, { ...plan, needsBytes, what: "the kernel", step, signal: context.signal });
        return await takeOut(work, tree, { runtime, wanted: parseList(modules), signal: context.signal }, directory);
      });
      return { value: undefined, detail: made };
    });
  });
  return kernel;
}

interface Wanted {
  readonly runtime: Runtime;
  readonly wanted: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Fills `directory`, which appears as a whole. Returns the kernel's release. */
async function takeOut(work: string, tree: string, wanted: Wanted, directory: string): Promise<string> {
  const image = (await readdir(join(tree, "boot"))).find((name) => name.startsWith("vmlinuz-")) ?? "vmlinuz-";
  const release = image.slice("vmlinuz-".length);
  await packModules({ ...wanted, work, tree: join(tree, "usr/lib/modules", release) });
  const unfinished = `${directory}.new`;
  await mkdir(unfinished, { recursive: true });
  await writeFile(join(unfinished, "vmlinux"), extractVmlinux(await readFile(join(tree, "boot", image))));
  await copyFile(join(work, "modules.cpio"), join(unfinished, "modules.cpio"));
  await rename(unfinished, directory);
  return release;
}
