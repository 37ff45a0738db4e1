// Builds what is written in C++: an addon and a module of PipeWire. Not with node-gyp, which would download Node's headers; the two packages have what N-API takes.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { askVersion, runCompiler } from "./compiler.ts";

const compiler = process.env.CXX ?? "g++";

const flags = [
  ...["-std=c++17", "-O2", "-s", "-shared", "-fPIC", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-Wconversion", "-Werror", "-Wl,-z,relro,-z,now"],
];
const addonFlags = [...flags, "-fstack-protector-strong", "-DNAPI_VERSION=8", "-DNODE_ADDON_API_CPP_EXCEPTIONS"];
// Linked with nothing: a libc of any version, and any PipeWire, resolve its names where it is loaded.
const moduleFlags = [
  ...flags,
  "-nostdlib",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-stack-protector",
  "-fno-threadsafe-statics",
];

/** Whatever decides an addon besides its sources. */
export const addonRecipe: readonly string[] = addonFlags;
/** Whatever decides a module of PipeWire besides its sources. */
export const moduleRecipe: readonly string[] = moduleFlags;

export const identifyCxx = (): Promise<string> =>
  askVersion(
    compiler,
    "--version",
    "Install a C++ compiler (Debian: sudo apt install g++), then run npm run build again.",
  );

/** An addon of Node. */
export async function buildAddon(directory: string, path: string, checkout: string): Promise<void> {
  const headers = ["node-addon-api", "node-api-headers/include"].map((name) => join(checkout, "node_modules", name));
  const includes = headers.flatMap((header) => ["-isystem", header]);
  await build([...addonFlags, ...includes], directory, path, checkout);
}

/** A module of PipeWire, which any PipeWire loads. */
export const buildModule = (directory: string, path: string, checkout: string): Promise<void> =>
  build(moduleFlags, directory, path, checkout);

async function build(options: readonly string[], directory: string, path: string, checkout: string): Promise<void> {
  const sources = (await readdir(join(checkout, directory))).filter((name) => name.endsWith(".cc")).sort();
  await runCompiler(compiler, [...options, ...sources.map((name) => join(directory, name)), "-o", path], {
    cwd: checkout,
  });
}
