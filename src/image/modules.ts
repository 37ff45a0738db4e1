// Packs the kernel modules that a guest needs to boot into the second part of its initramfs.
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ClocheError } from "../errors.ts";
import { directory, file, writeCpio } from "./cpio.ts";
import { moduleName, orderModules, parseDepends, withoutSignature } from "./modinfo.ts";
import type { Runtime } from "./runtime.ts";
import { runInRuntime } from "./runtime-tool.ts";
import { guardSpace } from "./space.ts";

export interface ModulesRequest {
  readonly runtime: Runtime;
  readonly work: string;
  /** /usr/lib/modules/RELEASE. */
  readonly tree: string;
  readonly wanted: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Writes `modules.cpio`: the wanted modules and what they depend on, as /modules/NN-name.ko in loading order. */
export async function packModules({ runtime, work, tree, wanted, signal }: ModulesRequest): Promise<void> {
  const files = await readdir(tree, { recursive: true });
  const paths = new Map(
    files.filter((name) => /\.ko(\.xz)?$/.test(name)).map((name) => [moduleName(name), join(tree, name)]),
  );
  const builtin = new Set((await readFile(join(tree, "modules.builtin"), "utf8")).split("\n").map(moduleName));
  const modules = new Map<string, Buffer>();
  await mkdir(join(work, "modules"));

  const ordered = await orderModules(wanted, async (name) => {
    const path = paths.get(name);
    if (path === undefined && builtin.has(name)) return undefined;
    if (path === undefined) throw new ClocheError("build-failed", `the kernel has no module ${name}`);
    const copy = join(work, "modules", basename(path));
    await copyFile(path, copy);
    if (path.endsWith(".xz")) {
      const argv = ["xz", "--decompress", basename(path)];
      await runInRuntime({
        runtime,
        directory: join(work, "modules"),
        argv,
        failure: `${name} cannot be unpacked`,
        signal,
      });
    }
    const content = withoutSignature(await readFile(copy.replace(/\.xz$/, "")));
    modules.set(name, content);
    return parseDepends(content);
  });
  const entries = ordered.map((name, index) => {
    return file(`modules/${String(index).padStart(2, "0")}-${name}.ko`, modules.get(name) ?? Buffer.alloc(0));
  });
  await guardSpace(work, () => writeFile(join(work, "modules.cpio"), writeCpio([directory("modules"), ...entries])));
}
