import { copyFile, cp, mkdir, open, rm, stat, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import type { ClocheError } from "../../src/errors.ts";
import { findDocument, type Image, openImage } from "../../src/image/images.ts";
import { openStore } from "../../src/image/store.ts";
import { filesBelow, processesNaming } from "../support/leftovers.ts";
import { launchGuest, useFreshDirectories } from "./guest.ts";

const directories = await useFreshDirectories();
test.after.always(() => directories.remove());

/** A store with a copy of foot's image and the runtime of the real store; it is the one that is used from then on. */
async function copyStore(): Promise<Image> {
  delete process.env.CLOCHE_STORE;
  const real = await openStore();
  const source =
    real.lookup.find((directory) => filesBelow(join(directory, "images")).includes("foot.json")) ?? real.own;
  const image = await openImage(real, "foot");
  const copy = join(directories.path, "store");
  await rm(copy, { recursive: true, force: true });
  await mkdir(join(copy, "blobs", "sha256"), { recursive: true });
  await cp(join(source, "images", "foot.json"), join(copy, "images", "foot.json"));
  for (const path of [image.kernel, image.initrd, image.root]) {
    await copyFile(path, join(copy, "blobs", "sha256", path.split("/").at(-1) ?? ""));
  }
  for (const part of ["runtime", "kernels"]) await symlink(join(source, part), join(copy, part));
  process.env.CLOCHE_STORE = copy;
  const found = await openImage(await openStore(), "foot");
  if (found.root === image.root) throw new Error("the copy is not what is used");
  return found;
}

async function flipByte(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, Math.floor(size / 2));
  await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, Math.floor(size / 2));
  await file.close();
}

const damages: [what: string, damage: (image: Image) => Promise<void>][] = [
  ["a flipped bit in the root", (image) => flipByte(image.root)],
  ["a flipped bit in the kernel", (image) => flipByte(image.kernel)],
  ["a flipped bit in the initramfs", (image) => flipByte(image.initrd)],
  ["a root that is cut short", (image) => truncate(image.root, 4096)],
];
for (const [what, damage] of damages) {
  test.serial(`${what} is refused by its digest before anything starts`, async (t) => {
    await damage(await copyStore());
    const error = await t.throwsAsync<ClocheError>(launchGuest("foot"));
    t.like(error, { code: "corrupt-image" });
    t.regex(error?.hint ?? "", /cloche image build foot/);
    t.deepEqual(processesNaming(directories.path), []);
    t.deepEqual(filesBelow(join(directories.path, "cloche", "instances")), []);
  });
}

test.serial("a missing file of an image is named", async (t) => {
  const image = await copyStore();
  await rm(image.initrd);
  const error = await t.throwsAsync(launchGuest("foot"));
  t.like(error, { code: "corrupt-image" });
  t.regex(error?.message ?? "", /is missing/);
});

test.serial("an image that was tampered with and restored is used again", async (t) => {
  const image = await copyStore();
  await flipByte(image.root);
  await t.throwsAsync(launchGuest("foot"));
  await flipByte(image.root);
  t.is((await findDocument(await openStore(), "foot"))?.root.digest, image.digest);
  await using guest = await launchGuest("foot");
  t.is(guest.state.phase, "running");
});
