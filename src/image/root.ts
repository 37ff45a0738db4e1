// The root of an image: Debian's packages and the base, packed as erofs. The same packages give the same bytes.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Step } from "../progress.ts";
import { putBlob } from "./blobs.ts";
import type { Package } from "./bootstrap.ts";
import type { BuildContext } from "./context.ts";
import type { Blob } from "./document.ts";
import { bootstrap } from "./packages.ts";
import { digestOfInputs, imageTime, parseList, readRecipe } from "./recipe.ts";
import type { Runtime } from "./runtime.ts";
import { runInRuntime } from "./runtime-tool.ts";
import { withWorkDirectory } from "./work-directory.ts";

export interface RootRecipe {
  readonly digest: string;
  readonly packages: readonly string[];
  readonly dpkgOptions: readonly string[];
  readonly customize: string;
  readonly remove: readonly string[];
}

/** Bytes on disk while it is built: the tree, its archive and the image. */
const needsBytes = 3_000 * 2 ** 20;

/** The base's recipe with an application's packages. */
export async function loadRootRecipe(packages: readonly string[]): Promise<RootRecipe> {
  const files = ["packages.txt", "dpkg.txt", "customize.sh", "remove.txt"];
  const [base = "", dpkg = "", customize = "", remove = ""] = await Promise.all(
    files.map((name) => readRecipe("base", name)),
  );
  const all = [...new Set([...parseList(base), ...packages])].sort();
  const digest = digestOfInputs("root", all, dpkg, customize, remove);
  return { digest, packages: all, dpkgOptions: parseList(dpkg), customize, remove: parseList(remove) };
}

export interface BuiltRoot {
  readonly blob: Blob;
  readonly packages: readonly Package[];
}

export async function buildRoot(
  context: BuildContext,
  runtime: Runtime,
  recipe: RootRecipe,
  step: Step,
): Promise<BuiltRoot> {
  const { store, signal } = context;
  return await withWorkDirectory(store, async (work) => {
    const packages = await bootstrap(store, {
      ...recipe,
      kind: "install",
      backports: false,
      target: join(work, "root.tar"),
      needsBytes,
      what: "the image's root",
      step,
      signal,
    });
    step.update("packing", 0.95);
    await runInRuntime({
      runtime,
      directory: work,
      signal,
      failure: "the image's root cannot be packed",
      argv: ["mkfs.erofs", "--quiet", `-T${imageTime}`, "-Uclear", "--tar=f", "root.erofs", "root.tar"],
    });
    await rm(join(work, "root.tar"));
    return { blob: await putBlob(store, join(work, "root.erofs")), packages };
  });
}
