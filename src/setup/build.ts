// npm run build: the native parts, and the program in dist: cloche.mjs, and what it loads when it is needed.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { packagePath } from "../paths.ts";
import { prepareNative } from "./prepare.ts";
import { describeFailure } from "./setup-error.ts";
import { Stages } from "./stages.ts";

/** CommonJS dependencies call `require` for Node's own modules, which an ES module does not have. */
const requireShim =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** Node refuses to strip types below node_modules, so that an installed package needs JavaScript. */
async function bundle(): Promise<void> {
  const directory = packagePath("dist");
  const result = await build({
    entryPoints: { cloche: packagePath("src", "cli", "main.ts") },
    bundle: true,
    // A command does not read what only another one uses.
    splitting: true,
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node24",
    format: "esm",
    write: false,
    // dbus-next asks for these only where the bus is found by X11, or carries descriptors.
    external: ["x11", "usocket"],
    loader: { ".txt": "text" },
    banner: { js: requireShim },
    logLevel: "warning",
  });
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  for (const { path, contents } of result.outputFiles) await writeFile(path, contents);
}

const stages = new Stages();
try {
  await prepareNative(stages);
  await stages.run("Bundle", 2, bundle);
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 1;
}
