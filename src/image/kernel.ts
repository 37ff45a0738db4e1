// The guest's kernel: Debian's, uncompressed, and the part of the initramfs that has its modules.
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ClocheError } from "../errors.ts";
import { putBlob } from "./blobs.ts";
import type { BuildContext } from "./context.ts";
import { directory, file, writeCpio } from "./cpio.ts";
import { type KernelDocument, readKernelDocument } from "./document.ts";
import { withLock } from "./lock.ts";
import { moduleName, orderModules, parseDepends } from "./modinfo.ts";
import { bootstrap } from "./packages.ts";
import { digestOfInputs, parseList, readRecipe } from "./recipe.ts";
import { ensureRuntime, type Runtime } from "./runtime.ts";
import { runInRuntime } from "./runtime-tool.ts";
import { guardSpace } from "./space.ts";
import { findInStore, storeDirectory, writeAtomically } from "./store.ts";
import { extractVmlinux } from "./vmlinux.ts";
import { withWorkDirectory } from "./work-directory.ts";

/** Bytes on disk while it is built. */
const needsBytes = 700 * 2 ** 20;

/** The kernel of the current recipe; built where no store has it, or anew with `context.update`. */
export async function ensureKernel(context: BuildContext): Promise<KernelDocument> {
  const [packages, modules] = await Promise.all([readRecipe("kernel", "packages.txt"), readRecipe("kernel", "modules.txt")]);
  const recipeDigest = digestOfInputs("kernel", packages, modules);
  const find = async () => {
    const path = context.update ? undefined : await findInStore(context.store, "kernels", `${recipeDigest}.json`);
    return path === undefined ? undefined : await readKernelDocument(path);
  };
  const found = await find();
  if (found) return found;
  const lock = join(await storeDirectory(context.store, "locks"), "kernel");
  const onWait = () => context.progress.step("Waiting for another build of the kernel").done();
  return await withLock(lock, { signal: context.signal, onWait }, async () => {
    const recipe = { recipeDigest, packages: parseList(packages), modules: parseList(modules) };
    return (await find()) ?? (await build(context, await ensureRuntime({ ...context, update: false }), recipe));
  });
}

interface Recipe {
  readonly recipeDigest: string;
  readonly packages: readonly string[];
  readonly modules: readonly string[];
}

async function build(context: BuildContext, runtime: Runtime, recipe: Recipe): Promise<KernelDocument> {
  const { store, signal } = context;
  const step = context.progress.step("Preparing the guest's kernel", 40);
  try {
    const document = await withWorkDirectory(store, async (work): Promise<KernelDocument> => {
      const tree = join(work, "tree");
      const packages = await bootstrap(store, {
        kind: "extract", backports: false, packages: recipe.packages, remove: [], target: tree,
        needsBytes, what: "the kernel", step, signal,
      });
      step.update("unpacking", 0.95);
      const image = (await readdir(join(tree, "boot"))).find((name) => name.startsWith("vmlinuz-"));
      if (image === undefined) throw new ClocheError("build-failed", `there is no kernel in ${recipe.packages.join(", ")}`);
      const release = image.slice("vmlinuz-".length);
      const bytes = extractVmlinux(await readFile(join(tree, "boot", image)));
      await guardSpace(work, () => writeFile(join(work, "vmlinux"), bytes));
      await packModules({ runtime, work, tree: join(tree, "usr/lib/modules", release), wanted: recipe.modules, signal });
      return {
        formatVersion: 1,
        recipeDigest: recipe.recipeDigest,
        release,
        vmlinux: await putBlob(store, join(work, "vmlinux")),
        modules: await putBlob(store, join(work, "modules.cpio")),
        packages: packages.filter(({ name }) => name.startsWith("linux-image")),
      };
    });
    await writeAtomically(join(store.own, "kernels", `${recipe.recipeDigest}.json`), `${JSON.stringify(document, null, 2)}\n`);
    step.done(document.release);
    return document;
  } catch (error) {
    step.fail();
    throw error;
  }
}

interface ModulesRequest {
  readonly runtime: Runtime;
  readonly work: string;
  /** /usr/lib/modules/RELEASE. */
  readonly tree: string;
  readonly wanted: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Writes `modules.cpio`: the wanted modules and what they depend on, as /modules/NN-name.ko in loading order. */
async function packModules({ runtime, work, tree, wanted, signal }: ModulesRequest): Promise<void> {
  const files = await readdir(tree, { recursive: true });
  const paths = new Map(files.filter((name) => /\.ko(\.xz)?$/.test(name)).map((name) => [moduleName(name), join(tree, name)]));
  const builtin = new Set((await readFile(join(tree, "modules.builtin"), "utf8")).split("\n").map(moduleName));
  const modules = new Map<string, Buffer>();
  await mkdir(join(work, "modules"));

  const ordered = await orderModules(wanted, async (name) => {
    const path = paths.get(name);
    if (path === undefined && builtin.has(name)) return undefined;
    if (path === undefined) throw new ClocheError("build-failed", `the kernel has no module ${name}`);
    const copy = join(work, "modules", basename(path));
    await copyFile(path, copy);
    if (path.endsWith(".xz")) {
      const argv = ["xz", "--decompress", basename(path)];
      await runInRuntime({ runtime, directory: join(work, "modules"), argv, failure: `${name} cannot be unpacked`, signal });
    }
    const content = await readFile(copy.replace(/\.xz$/, ""));
    modules.set(name, content);
    return parseDepends(content);
  });
  const entries = ordered.map((name, index) => {
    return file(`modules/${String(index).padStart(2, "0")}-${name}.ko`, modules.get(name) ?? Buffer.alloc(0));
  });
  await guardSpace(work, () => writeFile(join(work, "modules.cpio"), writeCpio([directory("modules"), ...entries])));
}
