// The guest's kernel: Debian's, uncompressed, and the part of the initramfs that has its modules.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../errors.ts";
import { putBlob } from "./blobs.ts";
import type { BuildContext } from "./context.ts";
import { type KernelDocument, readKernelDocument, writeDocument } from "./document.ts";
import { packModules } from "./modules.ts";
import { asStep, ensureOnce } from "./once.ts";
import { bootstrap } from "./packages.ts";
import { digestOfInputs, parseList, readRecipe } from "./recipe.ts";
import { ensureRuntime, type Runtime } from "./runtime.ts";
import { guardSpace } from "./space.ts";
import { findInStore } from "./store.ts";
import { checkedBlob, unlessDamaged } from "./verify.ts";
import { extractVmlinux } from "./vmlinux.ts";
import { withWorkDirectory } from "./work-directory.ts";

/** Bytes on disk while it is built. */
const needsBytes = 700 * 2 ** 20;

/** The kernel of the current recipe; built where no store has it, or anew with `context.update`. */
export async function ensureKernel(context: BuildContext): Promise<KernelDocument> {
  const recipe = await loadRecipe();
  return await ensureOnce(context, {
    name: "kernel",
    what: "the kernel",
    find: () => findKernel(context, recipe.digest),
    build: async () => await build(context, await ensureRuntime({ ...context, update: false }), recipe),
  });
}

interface Recipe {
  readonly digest: string;
  readonly packages: readonly string[];
  readonly modules: readonly string[];
}

async function loadRecipe(): Promise<Recipe> {
  const [packages, modules] = await Promise.all([
    readRecipe("kernel", "packages.txt"),
    readRecipe("kernel", "modules.txt"),
  ]);
  return {
    digest: digestOfInputs("kernel", packages, modules),
    packages: parseList(packages),
    modules: parseList(modules),
  };
}

async function findKernel(context: BuildContext, recipeDigest: string): Promise<KernelDocument | undefined> {
  const path = await findInStore(context.store, "kernels", `${recipeDigest}.json`);
  if (path === undefined) return undefined;
  return await unlessDamaged(context, async () => {
    const document = await readKernelDocument(path);
    // A launch checks the files that it uses; a repair has to know about both.
    if (document && context.repair) {
      for (const blob of [document.vmlinux, document.modules]) await checkedBlob(context.store, blob, "kernel");
    }
    return document;
  });
}

function build(context: BuildContext, runtime: Runtime, recipe: Recipe): Promise<KernelDocument> {
  const { store, signal } = context;
  return asStep(context, "Preparing the guest's kernel", 40, async (step) => {
    const document = await withWorkDirectory(store, async (work): Promise<KernelDocument> => {
      const tree = join(work, "tree");
      const packages = await bootstrap(store, {
        kind: "extract",
        backports: false,
        packages: recipe.packages,
        remove: [],
        target: tree,
        needsBytes,
        what: "the kernel",
        step,
        signal,
      });
      step.update("unpacking", 0.95);
      const image = (await readdir(join(tree, "boot"))).find((name) => name.startsWith("vmlinuz-"));
      if (image === undefined)
        throw new ClocheError("build-failed", `there is no kernel in ${recipe.packages.join(", ")}`);
      const release = image.slice("vmlinuz-".length);
      const bytes = extractVmlinux(await readFile(join(tree, "boot", image)));
      await guardSpace(work, () => writeFile(join(work, "vmlinux"), bytes));
      await packModules({
        runtime,
        work,
        tree: join(tree, "usr/lib/modules", release),
        wanted: recipe.modules,
        signal,
      });
      return {
        formatVersion: 1,
        recipeDigest: recipe.digest,
        release,
        vmlinux: await putBlob(store, join(work, "vmlinux")),
        modules: await putBlob(store, join(work, "modules.cpio")),
        packages: packages.filter(({ name }) => name.startsWith("linux-image")),
      };
    });
    await writeDocument(join(store.own, "kernels", `${recipe.digest}.json`), document);
    return { value: document, detail: document.release };
  });
}
