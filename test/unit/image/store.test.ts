import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { readBounded, storeDirectories, writeAtomically } from "../../../src/image/store.ts";

const user = { variables: {}, euid: 1000, home: "/home/user" };

test("a user's own store goes before the system's", (t) => {
  t.deepEqual(storeDirectories(user), ["/home/user/.cache/cloche", "/var/cache/cloche"]);
  t.deepEqual(storeDirectories({ ...user, variables: { XDG_CACHE_HOME: "/c" } }), ["/c/cloche", "/var/cache/cloche"]);
});

test("a relative XDG_CACHE_HOME is ignored, as its specification says", (t) => {
  t.is(storeDirectories({ ...user, variables: { XDG_CACHE_HOME: "c" } })[0], "/home/user/.cache/cloche");
});

test("root's store is the system's", (t) => {
  t.deepEqual(storeDirectories({ ...user, euid: 0 }), ["/var/cache/cloche"]);
});

test("CLOCHE_STORE is the only store", (t) => {
  t.deepEqual(storeDirectories({ ...user, variables: { CLOCHE_STORE: "/s" } }), ["/s"]);
  t.deepEqual(storeDirectories({ ...user, euid: 0, variables: { CLOCHE_STORE: "/s" } }), ["/s"]);
});

test("a file is replaced as a whole, and one that is too large is not read", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "cloche-store-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "new", "x.json");
  await writeAtomically(path, "one");
  await writeAtomically(path, "two");
  t.is(await readFile(path, "utf8"), "two");
  t.is(await readBounded(path, 3), "two");
  await writeFile(path, "long");
  t.like(await t.throwsAsync(readBounded(path, 3)), { code: "state" });
  t.is(await readBounded(join(directory, "absent"), 3), undefined);
});
