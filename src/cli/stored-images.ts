// The images of the stores, for lists.
import { ClocheError } from "../errors.ts";
import { findDocument } from "../image/images.ts";
import { listStore, openStore } from "../image/store.ts";

export interface StoredImage {
  readonly name: string;
  /** Of the root. */
  readonly digest: string;
  /** Of kernel, initrd and root; images share kernels. */
  readonly bytes: number;
  readonly kernel: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly packages: number;
}

/** By name; one whose document cannot be read is met when it is asked for. */
export async function storedImages(): Promise<StoredImage[]> {
  const store = await openStore();
  const files = await listStore(store, "images");
  const names = files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  const images = await Promise.all(names.map((name) => describe(name, store)));
  return images.filter((image) => image !== undefined);
}

async function describe(name: string, store: Awaited<ReturnType<typeof openStore>>): Promise<StoredImage | undefined> {
  const document = await findDocument(store, name).catch((error: unknown) => {
    if (error instanceof ClocheError) return undefined;
    throw error;
  });
  if (document === undefined) return undefined;
  const { kernel, initrd, root, created, packages } = document;
  return {
    name,
    digest: root.digest,
    bytes: kernel.size + initrd.size + root.size,
    kernel: kernel.release,
    created,
    packages: packages.length,
  };
}
