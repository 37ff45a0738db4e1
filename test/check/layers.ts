// Whether dependencies point down: each folder imports only from layers below its own, or from within itself.

import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { packagePath } from "../../src/paths.ts";

/** From the top down. A folder may import from the layers below its own, and nothing else but itself. */
const layers: readonly (readonly string[])[] = [
  ["src/setup"],
  ["src/cli"],
  ["src/instance", "src/desktop", "src/clan", "src/doctor"],
  ["src/display", "src/files", "src/network", "src/image", "portals"],
  ["src/vmm", "src/link", "src/jail"],
  ["src/app"],
  ["native", "src"],
];

/** Packages that only one file may import. */
const soleImporters: Readonly<Record<string, string>> = { "dbus-next": "portals/dbus-library.ts" };

/** Within one layer these may import from one another: the first is told in terms of the second. */
const allowedSideways = new Set(["src/doctor → src/instance", "src/link → src/jail", "src/vmm → src/jail"]);

/** Down, and forbidden all the same: the broker is the same whatever the monitor is. */
const forbidden = new Set(["portals → src/vmm"]);

const importPattern = /(?:\bfrom\s+|\bimport\s*\(?\s*)["']([^"']+)["']/g;

/** One line for each import that points up or sideways. */
export async function findLayerViolations(): Promise<string[]> {
  const files = globSync(["src/**/*.ts", "portals/**/*.ts", "native/**/*.ts"], { cwd: packagePath() }).filter(
    (file) => !file.startsWith("native/target/"),
  );
  const texts = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(packagePath(file), "utf8") })),
  );
  return texts.flatMap(({ file, text }) =>
    [...text.matchAll(importPattern)].flatMap(([, imported = ""]) => {
      const wrong = judgeImport(file, imported);
      return wrong === undefined ? [] : [`${file} imports ${imported}: ${wrong}`];
    }),
  );
}

/** What is wrong with `file` importing `imported`, or undefined. Paths are relative to the checkout. */
export function judgeImport(file: string, imported: string): string | undefined {
  const sole = soleImporters[imported];
  if (sole !== undefined && sole !== file) return `only ${sole} may`;
  if (!imported.startsWith(".")) return undefined;
  const target = normalize(join(dirname(file), imported));
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to || to === undefined || from === undefined) return undefined;
  if (from === "native" && to === "src") return undefined;
  if (forbidden.has(`${from} → ${to}`)) return `${from} is to know nothing of ${to}`;
  if (layerOf(from) < layerOf(to)) return undefined;
  return allowedSideways.has(`${from} → ${to}`) ? undefined : `${from} is not above ${to}`;
}

/** The folder of the layers that a file lies in; src itself holds what everyone uses. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  const folder = parts.length > 2 && parts[0] === "src" ? `src/${parts[1]}` : parts[0];
  return layerOf(folder ?? "") === -1 ? `unknown folder ${folder}` : folder;
}

const layerOf = (folder: string): number => layers.findIndex((layer) => layer.includes(folder));
