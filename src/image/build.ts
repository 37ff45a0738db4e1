// Makes the image of an application, from what is stored as far as that fits the recipe, the kernel and the agent.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../errors.ts";
import { nativeDirectory } from "../paths.ts";
import type { BuildContext } from "./context.ts";
import { type ImageDocument, type KernelDocument, writeDocument } from "./document.ts";
import { checkImage, checkName, findDocument, type Image } from "./images.ts";
import { buildInitramfs, type GuestParts, mediaModule } from "./initramfs.ts";
import { ensureKernel } from "./kernel.ts";
import { asStep, ensureOnce } from "./once.ts";
import { digestOfInputs } from "./recipe.ts";
import { buildRoot, loadRootRecipe, type RootRecipe } from "./root.ts";
import { ensureRuntime } from "./runtime.ts";
import { checkedBlob, digestOf, unlessDamaged } from "./verify.ts";

export interface ImageRecipe {
  readonly name: string;
  /** Debian packages besides the base. */
  readonly packages: readonly string[];
}

/** The image of the recipe as it now is; what is missing or out of date is built. With `context.update`, all of it. */
export async function ensureImage(recipe: ImageRecipe, context: BuildContext): Promise<Image> {
  checkName(recipe.name);
  const inputs = await loadInputs(recipe, context);
  return await ensureOnce(context, {
    name: `image-${recipe.name}`,
    what: recipe.name,
    find: () => unlessDamaged(context, () => findCurrent(recipe, inputs, context)),
    build: () => build(recipe, inputs, context),
  });
}

interface Inputs {
  readonly root: RootRecipe;
  readonly kernel: KernelDocument;
  readonly guest: GuestParts;
  readonly guestDigest: string;
}

async function loadInputs(recipe: ImageRecipe, context: BuildContext): Promise<Inputs> {
  const guest = {
    agent: context.agent ?? join(nativeDirectory(), "cloche-guest"),
    media: join(nativeDirectory(), mediaModule),
  };
  for (const part of Object.values(guest)) await checkBuilt(part);
  const root = await loadRootRecipe(recipe.packages);
  const kernel = await ensureKernel(context);
  const digests = Object.values(guest).map((part) => digestOf(context.store, part));
  return { root, kernel, guest, guestDigest: digestOfInputs("guest", ...(await Promise.all(digests))) };
}

async function checkBuilt(part: string): Promise<void> {
  if (await stat(part).catch(() => undefined)) return;
  throw new ClocheError("build-failed", `${part}, which runs in the guest, is missing`, {
    hint: "Build it: npm run build.",
  });
}

async function findCurrent(recipe: ImageRecipe, inputs: Inputs, context: BuildContext): Promise<Image | undefined> {
  const document = await findDocument(context.store, recipe.name);
  return document && isCurrent(document, inputs) ? await checkImage(context.store, document) : undefined;
}

const isCurrent = (document: ImageDocument, { root, kernel, guestDigest }: Inputs): boolean =>
  document.recipeDigest === root.digest &&
  document.kernel.digest === kernel.vmlinux.digest &&
  document.initrd.modules === kernel.modules.digest &&
  document.initrd.guest === guestDigest;

async function build(recipe: ImageRecipe, inputs: Inputs, context: BuildContext): Promise<Image> {
  const { store } = context;
  const { kernel, guest, guestDigest } = inputs;
  const modules = await checkedBlob(store, kernel.modules, recipe.name);
  const document: ImageDocument = {
    formatVersion: 1,
    name: recipe.name,
    ...(await currentRoot(recipe, inputs, context)),
    kernel: { ...kernel.vmlinux, release: kernel.release },
    initrd: { ...(await buildInitramfs(store, guest, modules)), modules: kernel.modules.digest, guest: guestDigest },
  };
  await writeDocument(join(store.own, "images", `${recipe.name}.json`), document);
  return await checkImage(store, document);
}

type RootPart = Pick<ImageDocument, "recipeDigest" | "created" | "packages" | "root">;

/** The stored root where it fits and is whole, else a new one. */
async function currentRoot(recipe: ImageRecipe, inputs: Inputs, context: BuildContext): Promise<RootPart> {
  const stored = context.update ? undefined : await unlessDamaged(context, () => storedRoot(recipe, inputs, context));
  if (stored) return stored;
  const runtime = await ensureRuntime({ ...context, update: false });
  return await asStep(context, `Building the image ${recipe.name}`, 90, async (step) => {
    const { blob, packages } = await buildRoot(context, runtime, inputs.root, step);
    const value: RootPart = {
      recipeDigest: inputs.root.digest,
      created: new Date().toISOString(),
      packages,
      root: { ...blob, format: "erofs" },
    };
    return { value, detail: `${packages.length} packages, ${Math.round(blob.size / 2 ** 20)} MiB` };
  });
}

async function storedRoot(recipe: ImageRecipe, inputs: Inputs, context: BuildContext): Promise<RootPart | undefined> {
  const document = await findDocument(context.store, recipe.name);
  if (document?.recipeDigest !== inputs.root.digest) return undefined;
  const { recipeDigest, created, packages, root } = document;
  await checkedBlob(context.store, root, recipe.name);
  return { recipeDigest, created, packages, root };
}
