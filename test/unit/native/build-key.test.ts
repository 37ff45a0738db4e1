// When a native part is built again.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { buildPart } from "../../../native/build/build-part.ts";
import { computeKey } from "../../../native/build/key.ts";
import type { Part } from "../../../native/build/part.ts";
import { parts } from "../../../native/build/parts.ts";

const fakePart: Part = {
  name: "fake",
  output: "fake.node",
  sources: ["source", "lock.txt"],
  recipe: ["-O2"],
  identifyCompiler: async () => "compiler 1",
  build: async (path, { checkout }) =>
    writeFile(path, `built from ${readFileSync(join(checkout, "source/a.c"), "utf8")}`),
};

function makePlaces(t: { teardown(act: () => void): void }) {
  const root = mkdtempSync(join(tmpdir(), "cloche-build-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const checkout = join(root, "checkout");
  mkdirSync(join(checkout, "source/deep"), { recursive: true });
  writeFileSync(join(checkout, "source/a.c"), "a");
  writeFileSync(join(checkout, "source/deep/b.c"), "b");
  writeFileSync(join(checkout, "lock.txt"), "1");
  return { checkout, dist: join(checkout, "dist"), cache: join(root, "cache") };
}

test("the key changes with a source, its name, a new file, the recipe and the compiler, and with nothing else", async (t) => {
  const { checkout } = makePlaces(t);
  const first = await computeKey(fakePart, checkout);
  t.regex(first, /^[0-9a-f]{64}$/);
  writeFileSync(join(checkout, "source/index.ts"), "not compiled");
  writeFileSync(join(checkout, "elsewhere.c"), "not a source");
  t.is(await computeKey(fakePart, checkout), first);
  const keys = [first, await computeKey({ ...fakePart, recipe: ["-O3"] }, checkout)];
  keys.push(await computeKey({ ...fakePart, identifyCompiler: async () => "compiler 2" }, checkout));
  for (const [path, content] of [
    ["source/deep/b.c", "B"],
    ["lock.txt", "2"],
    ["source/new.c", ""],
  ] as const) {
    writeFileSync(join(checkout, path), content);
    keys.push(await computeKey(fakePart, checkout));
  }
  t.is(new Set(keys).size, keys.length);
});

test("a part is built once, left alone after that, and built again when a source changes", async (t) => {
  const places = makePlaces(t);
  const output = join(places.dist, "fake.node");
  let builds = 0;
  const build = () => buildPart(fakePart, places, () => builds++);
  t.is(await build(), "built");
  t.is(readFileSync(output, "utf8"), "built from a");
  t.is(await build(), "unchanged");
  writeFileSync(join(places.checkout, "source/a.c"), "z");
  t.is(await build(), "built");
  t.is(readFileSync(output, "utf8"), "built from z");
  writeFileSync(join(places.checkout, "source/a.c"), "a");
  t.is(await build(), "cached");
  t.is(readFileSync(output, "utf8"), "built from a");
  t.is(builds, 2);
});

test("a fresh checkout is served from the cache", async (t) => {
  const places = makePlaces(t);
  await buildPart(fakePart, places, () => {});
  const clone = `${places.checkout}-2`;
  cpSync(places.checkout, clone, { recursive: true });
  rmSync(join(clone, "dist"), { recursive: true });
  const outcome = await buildPart(fakePart, { ...places, checkout: clone, dist: join(clone, "dist") }, () =>
    t.fail("it was built"),
  );
  t.is(outcome, "cached");
  t.is(readFileSync(join(clone, "dist/fake.node"), "utf8"), "built from a");
});

test("a failed build leaves the last result's file and no key for it", async (t) => {
  const places = makePlaces(t);
  await buildPart(fakePart, places, () => {});
  writeFileSync(join(places.checkout, "source/a.c"), "broken");
  const broken: Part = { ...fakePart, build: () => Promise.reject(new Error("no")) };
  await t.throwsAsync(
    buildPart(broken, places, () => {}),
    { message: "no" },
  );
  t.is(readFileSync(join(places.dist, "fake.node"), "utf8"), "built from a");
  t.is(await buildPart(fakePart, places, () => {}), "built");
});

test("a result whose sources changed meanwhile is not kept", async (t) => {
  const places = makePlaces(t);
  const build: Part["build"] = async (path, directories) => {
    await fakePart.build(path, directories);
    writeFileSync(join(places.checkout, "source/a.c"), "changed");
  };
  await t.throwsAsync(
    buildPart({ ...fakePart, build }, places, () => {}),
    { code: "build-failed", message: /sources changed/ },
  );
  t.false(existsSync(join(places.dist, "fake.node")));
});

test("two builds at a time compile once", async (t) => {
  const places = makePlaces(t);
  const outcomes = await Promise.all([1, 2].map(() => buildPart(fakePart, places, () => {})));
  t.deepEqual(outcomes.sort(), ["built", "cached"]);
});

test("the parts' sources exist", (t) => {
  const checkout = join(import.meta.dirname, "../../..");
  for (const source of parts.flatMap((part) => part.sources)) t.true(existsSync(join(checkout, source)), source);
});
