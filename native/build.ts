// node native/build.ts [PART…|all]: brings the native parts in native/dist up to date.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClocheError, messageOf } from "../src/errors.ts";
import { buildPart } from "./build/build-part.ts";
import { cacheDirectory } from "./build/cache.ts";
import type { Part } from "./build/part.ts";
import { parts } from "./build/parts.ts";

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const places = { checkout, dist: join(checkout, "native", "dist"), cache: cacheDirectory() };

function selectParts(names: readonly string[]): readonly Part[] {
  if (names.length === 0 || names.includes("all")) return parts;
  return names.map((name) => {
    const part = parts.find((candidate) => candidate.name === name);
    if (part) return part;
    const known = parts.map((candidate) => candidate.name).join(", ");
    throw new ClocheError("usage", `there is no native part ${name}`, { hint: `The parts: ${known}, all.` });
  });
}

function report(thrown: unknown, prefix: string): void {
  console.error(`${prefix}: ${messageOf(thrown)}`);
  if (thrown instanceof ClocheError && thrown.hint !== undefined) console.error(thrown.hint);
}

/** Whether it worked. */
async function bringUpToDate(part: Part): Promise<boolean> {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  try {
    const outcome = await buildPart(part, places, () => console.error(`${part.name}: building`));
    if (outcome === "built") console.error(`${part.name}: built in ${seconds()}`);
    if (outcome === "cached") console.error(`${part.name}: taken from ${places.cache} in ${seconds()}`);
    return true;
  } catch (thrown) {
    report(thrown, part.name);
    return false;
  }
}

try {
  let failed = false;
  for (const part of selectParts(process.argv.slice(2))) failed = !(await bringUpToDate(part)) || failed;
  if (failed) process.exitCode = 1;
} catch (thrown) {
  report(thrown, "build");
  process.exitCode = 2;
}
