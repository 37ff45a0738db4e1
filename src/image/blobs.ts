// Blobs: files of the store that are named by the SHA-256 of their content, and are never written again.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, open, rename, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Blob } from "./document.ts";
import { guardSpace } from "./space.ts";
import { blobPath, type Store, storeDirectory } from "./store.ts";

/** Moves a finished file of the same file system into the store. */
export async function putBlob(store: Store, path: string): Promise<Blob> {
  const digest = await hashFile(path);
  await storeDirectory(store, "blobs", "sha256");
  await chmod(path, 0o444);
  await guardSpace(path, async () => {
    const file = await open(path, "r");
    await file.sync();
    await file.close();
    await rename(path, blobPath(store.own, digest));
  });
  return { digest, size: (await stat(blobPath(store.own, digest))).size };
}

/** SHA-256 in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}
