// The applications that can be run: the package's manifests, and the user's own in $XDG_CONFIG_HOME/cloche/apps.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../errors.ts";
import { configDirectory, packagePath } from "../paths.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

export interface CatalogueEntry {
  readonly manifest: Manifest;
  readonly file: string;
}

/** The user's manifest goes before the package's of the same name. */
const directories = (): string[] => [join(configDirectory(), "apps"), packagePath("vm-images", "apps")];

/** Throws `unknown-app`, or `bad-manifest` for the one that was asked for. */
export async function findApp(id: string): Promise<Manifest> {
  for (const directory of directories()) {
    const file = join(directory, `${id}.toml`);
    const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
      throw new ClocheError("state", `${file} cannot be read`, { cause });
    });
    if (bytes === undefined) continue;
    const manifest = parseManifest(bytes, file);
    if (manifest.id === id) return manifest;
    throw new ClocheError(
      "bad-manifest",
      `${file}:1: id: is ${JSON.stringify(manifest.id)}, and the file's name says ${id}`,
    );
  }
  const known = (await listApps()).map(({ manifest }) => manifest.id).join(", ");
  throw new ClocheError("unknown-app", `there is no application ${id}`, { hint: `In the catalogue: ${known}.` });
}

/** Every application whose manifest can be read; `onBroken` hears of the others. */
export async function listApps(onBroken: (error: ClocheError) => void = () => {}): Promise<CatalogueEntry[]> {
  const found = new Map<string, CatalogueEntry>();
  for (const directory of directories()) {
    const files = await readdir(directory).catch(() => []);
    for (const name of files.filter((entry) => entry.endsWith(".toml")).sort()) {
      const file = join(directory, name);
      try {
        const manifest = parseManifest(await readFile(file), file);
        if (!found.has(manifest.id)) found.set(manifest.id, { manifest, file });
      } catch (error) {
        if (!(error instanceof ClocheError)) throw error;
        onBroken(error);
      }
    }
  }
  return [...found.values()].sort((a, b) => a.manifest.id.localeCompare(b.manifest.id));
}
