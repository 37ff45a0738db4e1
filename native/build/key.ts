// The key of a part: equal keys, equal content.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Part } from "./part.ts";

/** 64 hexadecimal digits over the sources' paths and bytes, the recipe, the compiler and the C library. */
export async function computeKey(part: Part, checkout: string): Promise<string> {
  const paths = (await Promise.all(part.sources.map((source) => listFiles(checkout, source)))).flat().sort();
  const contents = await Promise.all(paths.map((path) => readFile(join(checkout, path))));
  const hash = createHash("sha256");
  const add = (bytes: string | Buffer) => {
    hash.update(`${Buffer.byteLength(bytes)}:`).update(bytes);
  };
  for (const fact of [part.name, ...part.recipe, await part.identifyCompiler(), libraryVersion()]) add(fact);
  paths.forEach((path, index) => {
    add(path);
    add(contents[index] ?? "");
  });
  return hash.digest("hex");
}

/** Files below a path, relative to the checkout. TypeScript is not compiled, so it does not count. */
async function listFiles(checkout: string, source: string): Promise<string[]> {
  try {
    const entries = await readdir(join(checkout, source), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name).slice(checkout.length + 1));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return [source];
    throw error;
  }
}

/** A result linked with a newer C library does not load with an older one, and a home directory may be shared. */
function libraryVersion(): string {
  // Without the lookups of every interface and connection.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime ?? "unknown";
}
