// What the commands on images do: build, remove, verify.
import { findApp, listApps } from "../app/catalogue.ts";
import { ClocheError } from "../errors.ts";
import { ensureImage } from "../image/build.ts";
import { checkImage, findDocument, unknownImage } from "../image/images.ts";
import { openStore } from "../image/store.ts";
import { listStates } from "../instance/state.ts";
import { type Context, printJson } from "./context.ts";
import { errorDocument, reportError } from "./error-report.ts";
import { exitStatus } from "./exit-status.ts";
import { storedImages } from "./stored-images.ts";
import { styleFor } from "./style.ts";

export interface BuildRequest {
  readonly names: readonly string[];
  readonly all: boolean;
  readonly update: boolean;
}

export async function buildImages(context: Context, { names, all, update }: BuildRequest): Promise<number> {
  if (all === names.length > 0)
    throw new ClocheError("usage", "name the applications, or say --all", { hint: "cloche list shows them." });
  const manifests = all ? (await listApps()).map(({ manifest }) => manifest) : await Promise.all(names.map(findApp));
  const { signal } = context.interrupts();
  const build = { store: await openStore(), progress: context.progress, signal, update, repair: true };
  const images = [];
  for (const { id, packages } of manifests) {
    const image = await ensureImage({ name: id, packages }, build);
    const { name, digest, kernel, initrd, root } = image;
    images.push({ name, digest, kernel, initrd, root });
    if (!context.isJson) await context.stdout.print(`${name} ${digest}`);
  }
  if (update) {
    const { collect } = await import("../image/remove.ts");
    await collect(build.store);
  }
  if (context.isJson) await printJson(context, images);
  return exitStatus.success;
}

/** Throws `in-use`, `unknown-image`; then none is removed. */
export async function removeImages(context: Context, names: readonly string[]): Promise<number> {
  const { removeImage } = await import("../image/remove.ts");
  const store = await openStore();
  const users = await listStates();
  for (const name of names) {
    if (!(await findDocument(store, name).catch(() => true))) throw unknownImage(name);
    const user = users.find(({ app }) => app === name);
    if (user)
      throw new ClocheError("in-use", `the image ${name} is used by ${user.id}`, {
        hint: `First: cloche stop ${user.id}.`,
      });
  }
  for (const name of names) {
    await removeImage(store, name);
    if (!context.isJson) await context.stdout.print(name);
  }
  if (context.isJson) await printJson(context, names);
  return exitStatus.success;
}

export async function verifyImages(context: Context, names: readonly string[]): Promise<number> {
  const wanted = names.length > 0 ? names : (await storedImages()).map(({ name }) => name);
  const results = [];
  for (const name of wanted) {
    const error = await verify(context, name);
    results.push({ name, intact: error === undefined, error: error === undefined ? null : errorDocument(error).error });
    if (context.isJson) continue;
    if (error === undefined) await context.stdout.print(`${name}: intact`);
    else await context.stderr.print(reportError(error, styleFor(process.stderr, context.environment)));
  }
  if (context.isJson) await printJson(context, results);
  return results.every(({ intact }) => intact) ? exitStatus.success : exitStatus.failure;
}

/** The error that was found, if any. */
async function verify(context: Context, name: string): Promise<ClocheError | undefined> {
  const step = context.progress.step(`Reading the image ${name}`);
  try {
    const store = await openStore();
    const document = await findDocument(store, name);
    if (!document) throw unknownImage(name);
    await checkImage(store, document, true);
    step.done();
    return undefined;
  } catch (error) {
    step.fail();
    if (error instanceof ClocheError) return error;
    throw error;
  }
}
