// Removes images, and the files of the own store that nothing refers to any more.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../errors.ts";
import { readImageDocument, readKernelDocument } from "./document.ts";
import { checkName, unknownImage } from "./images.ts";
import { ifUnlocked } from "./lock.ts";
import { storeLock } from "./once.ts";
import { findInStore, type Store, storeDirectory } from "./store.ts";

/**
 * Removes the image from the own store and collects. Whether an instance uses it is for the caller to know.
 * Throws `unknown-image`, or `state` where only the system's store has it.
 */
export async function removeImage(store: Store, name: string): Promise<void> {
  checkName(name);
  const path = await findInStore(store, "images", `${name}.json`);
  if (path === undefined) throw unknownImage(name);
  if (!path.startsWith(join(store.own, "/"))) {
    throw new ClocheError("state", `the image ${name} belongs to the system: ${path}`, {
      hint: "Only root can remove it.",
    });
  }
  await rm(path);
  await collect(store);
}

/** Removes the blobs that no document names; nothing while somebody builds, or while a document cannot be read. */
export async function collect(store: Store): Promise<void> {
  const locks = await storeDirectory(store, "locks");
  await ifUnlocked(join(locks, storeLock), async () => {
    const used = await referredDigests(store.own);
    const blobs = await storeDirectory(store, "blobs", "sha256");
    for (const digest of used ? await readdir(blobs) : []) {
      if (!used?.has(digest)) await rm(join(blobs, digest), { force: true });
    }
  });
}

async function referredDigests(directory: string): Promise<Set<string> | undefined> {
  const digests = new Set<string>();
  try {
    for (const path of await documentsIn(join(directory, "kernels"))) {
      const document = await readKernelDocument(path);
      for (const blob of document ? [document.vmlinux, document.modules] : []) digests.add(blob.digest);
    }
    for (const path of await documentsIn(join(directory, "images"))) {
      const document = await readImageDocument(path);
      for (const blob of document ? [document.kernel, document.initrd, document.root] : []) digests.add(blob.digest);
    }
  } catch (error) {
    if (error instanceof ClocheError && error.code === "corrupt-image") return undefined;
    throw error;
  }
  return digests;
}

async function documentsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith(".json")).map((name) => join(directory, name));
}
