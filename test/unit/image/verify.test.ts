import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Blob } from "../../../src/image/document.ts";
import { blobPath, type Store } from "../../../src/image/store.ts";
import { checkedBlob, digestOf } from "../../../src/image/verify.ts";

const content = Buffer.from("a root file system\n".repeat(1000));
const blob: Blob = { digest: createHash("sha256").update(content).digest("hex"), size: content.length };

async function makeStore(t: ExecutionContext): Promise<{ store: Store; path: string }> {
  const own = await mkdtemp(join(tmpdir(), "cloche-verify-"));
  t.teardown(() => rm(own, { recursive: true, force: true }));
  const path = blobPath(own, blob.digest);
  await mkdir(join(own, "blobs", "sha256"), { recursive: true });
  await writeFile(path, content);
  return { store: { own, lookup: [own] }, path };
}

const flipByte = async (path: string, at: number) => {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(path, bytes);
};

test("a whole blob is found and remembered", async (t) => {
  const { store, path } = await makeStore(t);
  t.is(await checkedBlob(store, blob, "foot"), path);
  t.is((await readdir(join(store.own, "verified"))).length, 1);
});

for (const at of [0, 9_999, content.length - 1]) {
  test(`a flipped bit in byte ${at} is refused, also of a file that was remembered`, async (t) => {
    const { store, path } = await makeStore(t);
    await checkedBlob(store, blob, "foot");
    await flipByte(path, at);
    const error = await t.throwsAsync(checkedBlob(store, blob, "foot"));
    t.like(error, { code: "corrupt-image", hint: "Build it again: cloche image build foot." });
    t.true(error?.message.includes(path) && error.message.includes(blob.digest));
  });
}

test("a file whose times were set back is hashed again", async (t) => {
  const { store, path } = await makeStore(t);
  await utimes(path, 1, 1);
  await checkedBlob(store, blob, "foot");
  await flipByte(path, 5);
  await utimes(path, 1, 1);
  t.like(await t.throwsAsync(checkedBlob(store, blob, "foot")), { code: "corrupt-image" });
});

test("a truncated, an exchanged and a missing file are refused", async (t) => {
  const { store, path } = await makeStore(t);
  await checkedBlob(store, blob, "foot");
  await truncate(path, 10);
  t.like(await t.throwsAsync(checkedBlob(store, blob, "foot")), { code: "corrupt-image" });
  await writeFile(`${path}.other`, "other");
  await rename(`${path}.other`, path);
  t.like(await t.throwsAsync(checkedBlob(store, blob, "foot")), { code: "corrupt-image" });
  await rm(path);
  t.like(await t.throwsAsync(checkedBlob(store, blob, "foot")), { code: "corrupt-image" });
});

test("what is remembered is believed only of the file that it was written for", async (t) => {
  const { store, path } = await makeStore(t);
  await digestOf(store, path);
  const directory = join(store.own, "verified");
  const [name = ""] = await readdir(directory);
  for (const text of [
    "",
    "null",
    "{}",
    `{"path":${JSON.stringify(path)},"digest":"${"0".repeat(64)}"}`,
    "[".repeat(9000),
  ]) {
    await writeFile(join(directory, name), text);
    t.is(await digestOf(store, path), blob.digest);
  }
});

test("another user's store is checked and the result kept in the own", async (t) => {
  const { store, path } = await makeStore(t);
  const own = join(store.own, "mine");
  t.is(await checkedBlob({ own, lookup: [own, store.own] }, blob, "foot"), path);
  t.is((await readdir(join(own, "verified"))).length, 1);
});

test("a store that cannot be written checks all the same", async (t) => {
  const { store, path } = await makeStore(t);
  await writeFile(join(store.own, "verified"), "");
  await chmod(store.own, 0o755);
  t.is(await checkedBlob(store, blob, "foot"), path);
});
