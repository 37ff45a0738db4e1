// The monitor runtime: the directory tree that is the root of every jail. Built once from Debian's packages, without privilege.
import { mkdir, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { BuildContext } from "./context.ts";
import { type RuntimeDocument, readRuntimeDocument, writeDocument } from "./document.ts";
import { asStep, ensureOnce } from "./once.ts";
import { bootstrap } from "./packages.ts";
import { digestOfInputs, parseList, readRecipe } from "./recipe.ts";
import { findInStore, storeDirectory } from "./store.ts";
import { digestTree, makeReadable } from "./tree.ts";
import { unlessDamaged } from "./verify.ts";
import { withWorkDirectory } from "./work-directory.ts";

export interface Runtime {
  readonly digest: string;
  /** Absolute path of the tree. */
  readonly root: string;
  readonly document: RuntimeDocument;
}

/** Directories of the tree that a jail binds things on, besides those it makes itself. */
const mountPoints = ["dev", "proc", "sys", "tmp", "run", "images", "share", "store", "home"];

/** Bytes on disk while it is built. */
const needsBytes = 1_300 * 2 ** 20;

/** The runtime of the current recipe; built where no store has it, or anew with `context.update`. */
export async function ensureRuntime(context: BuildContext): Promise<Runtime> {
  const recipe = await loadRecipe();
  return await ensureOnce(context, {
    name: "runtime",
    what: "the monitor runtime",
    find: () => findRuntime(context, recipe.digest),
    build: () => build(context, recipe),
  });
}

interface Recipe {
  readonly digest: string;
  readonly packages: readonly string[];
  readonly preferences: string;
  readonly remove: readonly string[];
}

async function loadRecipe(): Promise<Recipe> {
  const files = ["packages.txt", "preferences", "remove.txt"];
  const [packages = "", preferences = "", remove = ""] = await Promise.all(
    files.map((file) => readRecipe("runtime", file)),
  );
  const digest = digestOfInputs("runtime", packages, preferences, remove, mountPoints);
  return { digest, packages: parseList(packages), preferences, remove: parseList(remove) };
}

/** A link by the recipe's digest leads to the latest runtime that was built from it. */
const linkName = (recipeDigest: string) => `recipe-${recipeDigest}`;

async function findRuntime(context: BuildContext, recipeDigest: string): Promise<Runtime | undefined> {
  const link = await findInStore(context.store, "runtime", linkName(recipeDigest));
  if (link === undefined) return undefined;
  const directory = await realpath(link);
  const document = await unlessDamaged(context, () => readRuntimeDocument(join(directory, "runtime.json")));
  return document && { digest: document.digest, root: join(directory, "root"), document };
}

function build(context: BuildContext, recipe: Recipe): Promise<Runtime> {
  return asStep(context, "Building the monitor runtime", 60, async (step) => {
    const value = await withWorkDirectory(context.store, async (work) => {
      const root = join(work, "root");
      const packages = await bootstrap(context.store, {
        ...recipe,
        kind: "extract",
        backports: true,
        target: root,
        needsBytes,
        what: "the runtime",
        step,
        signal: context.signal,
      });
      step.update("checking", 0.95);
      for (const name of mountPoints) await mkdir(join(root, name), { recursive: true });
      await makeReadable(root);
      const tree = await digestTree(root);
      const digest = digestOfInputs("runtime", recipe.digest, packages);
      const document: RuntimeDocument = { formatVersion: 1, digest, recipeDigest: recipe.digest, tree, packages };
      await writeDocument(join(work, "runtime.json"), document);
      return await publish(context, work, document);
    });
    return { value, detail: `${value.document.packages.length} packages` };
  });
}

/** Moves the finished directory into place, and then the link to it: whoever follows the link finds a whole tree. */
async function publish(context: BuildContext, work: string, document: RuntimeDocument): Promise<Runtime> {
  const parent = await storeDirectory(context.store, "runtime");
  const directory = join(parent, document.digest);
  // Instances may run on the one that is there: it is made of the same packages, and stays.
  const present = await readRuntimeDocument(join(directory, "runtime.json"));
  if (!present) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(join(work, "done"));
    for (const name of ["root", "runtime.json"]) await rename(join(work, name), join(work, "done", name));
    await rename(join(work, "done"), directory);
  }
  const link = join(parent, linkName(document.recipeDigest));
  if ((await readlink(link).catch(() => undefined)) !== document.digest) {
    await rm(`${link}.new`, { force: true });
    await symlink(document.digest, `${link}.new`);
    await rename(`${link}.new`, link);
  }
  return { digest: document.digest, root: join(directory, "root"), document: present ?? document };
}
