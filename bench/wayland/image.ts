// The image that every side runs: the base with waypipe, by a manifest among the user's own.
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseManifest } from "../../src/app/manifest.ts";
import { ensureImage } from "../../src/image/build.ts";
import { ensureRuntime } from "../../src/image/runtime.ts";
import { openStore } from "../../src/image/store.ts";
import { packagePath } from "../../src/paths.ts";
import { ensureDebianPackages } from "../../src/setup/debian.ts";
import type { OrdinaryUser } from "../../src/setup/ordinary-user.ts";
import { prepareNative } from "../../src/setup/prepare.ts";
import { Stages } from "../../src/setup/stages.ts";

const file = packagePath("bench", "wayland", "waypipe.toml");

/** Builds what is missing of programs, native parts and images. Returns the application's name. */
export async function prepareImage(): Promise<string> {
  const stages = new Stages();
  await ensureDebianPackages(["always", "desktop"], stages);
  await prepareNative(stages);
  const { id, packages } = parseManifest(await readFile(file), file);
  const context = { store: await openStore(), progress: stages };
  await ensureRuntime(context);
  await ensureImage({ name: id, packages: [...packages] }, context);
  return id;
}

/** Makes the manifest one of `user`'s own. */
export async function addManifest(app: string, { environment }: OrdinaryUser): Promise<void> {
  const target = join(environment.HOME ?? "/", ".config", "cloche", "apps", `${app}.toml`);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(file, target);
}
