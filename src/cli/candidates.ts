// Names that a shell completes: read from directories, without checking what they name.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { configDirectory, packagePath, runtimeDirectory, stateDirectory } from "../paths.ts";
import { commandNames } from "./commands.ts";

const sources: Readonly<Record<string, () => Promise<string[]>>> = {
  app: async () => [
    ...(await namesIn(join(configDirectory(), "apps"), ".toml")),
    ...(await namesIn(packagePath("vm-images", "apps"), ".toml")),
  ],
  instance: () => namesIn(join(runtimeDirectory(), "instances"), ""),
  log: () => namesIn(join(stateDirectory(), "logs"), ".jsonl"),
  image: async () => {
    const { openStore } = await import("../image/store.ts");
    const { lookup } = await openStore();
    return (await Promise.all(lookup.map((directory) => namesIn(join(directory, "images"), ".json")))).flat();
  },
  command: async () => [...commandNames],
};

/** Sorted, each once; none for a kind that only the shell itself knows. */
export async function candidates(kind: string): Promise<string[]> {
  const source = Object.hasOwn(sources, kind) ? sources[kind] : undefined;
  return [...new Set(await source?.())].sort();
}

async function namesIn(directory: string, ending: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, name.length - ending.length));
}
