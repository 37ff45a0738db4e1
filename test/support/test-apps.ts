// The applications that tests run: those of the catalogue, and some that only test/images has.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findApp } from "../../src/app/catalogue.ts";
import { type Manifest, parseManifest } from "../../src/app/manifest.ts";
import { packagePath } from "../../src/paths.ts";

const manifestFile = (id: string): string => packagePath("test", "images", `${id}.toml`);

export async function findTestApp(id: string): Promise<Manifest> {
  const bytes = await readFile(manifestFile(id)).catch(() => undefined);
  return bytes === undefined ? findApp(id) : parseManifest(bytes, manifestFile(id));
}

/** Puts the manifest where the user of that home has their own. */
export async function addTestApp(home: string, id: string): Promise<void> {
  const directory = join(home, ".config", "cloche", "apps");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${id}.toml`), await readFile(manifestFile(id)));
}
