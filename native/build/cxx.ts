// Builds the addon written in C++. Not with node-gyp, which would download Node's headers; the two packages have what N-API takes.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { askVersion, runCompiler } from "./compiler.ts";

const compiler = process.env.CXX ?? "g++";

const flags = [
  ...["-std=c++17", "-O2", "-s", "-shared", "-fPIC", "-fvisibility=hidden", "-fstack-protector-strong"],
  ...["-Wall", "-Wextra", "-Wconversion", "-Werror", "-Wl,-z,relro,-z,now"],
  ...["-DNAPI_VERSION=8", "-DNODE_ADDON_API_CPP_EXCEPTIONS"],
];

/** Whatever decides an addon besides its sources. */
export const cxxRecipe: readonly string[] = flags;

export const identifyCxx = (): Promise<string> =>
  askVersion(
    compiler,
    "--version",
    "Install a C++ compiler (Debian: sudo apt install g++), then run npm run build again.",
  );

export async function buildAddon(directory: string, path: string, checkout: string): Promise<void> {
  const sources = (await readdir(join(checkout, directory))).filter((name) => name.endsWith(".cc")).sort();
  const headers = ["node-addon-api", "node-api-headers/include"].map((name) => join(checkout, "node_modules", name));
  const includes = headers.flatMap((header) => ["-isystem", header]);
  await runCompiler(compiler, [...flags, ...includes, ...sources.map((name) => join(directory, name)), "-o", path], {
    cwd: checkout,
  });
}
