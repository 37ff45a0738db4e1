// Images as a launch uses them: looked up by name, read by schema, each of their files checked against its digest.
import { ClocheError } from "../errors.ts";
import { type ImageDocument, readImageDocument } from "./document.ts";
import { findInStore, type Store } from "./store.ts";
import { checkedBlob } from "./verify.ts";

export interface Image {
  readonly name: string;
  /** Digest of the root. */
  readonly digest: string;
  /** Absolute paths of files whose content has been checked. */
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
  readonly document: ImageDocument;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Throws `unknown-image` for what cannot be an image's name, and so not a file's outside of the store either. */
export function checkName(name: string): void {
  if (!namePattern.test(name)) throw unknownImage(name);
}

export function unknownImage(name: string): ClocheError {
  const hint = "cloche image list shows those that are.";
  return new ClocheError("unknown-image", `no image ${JSON.stringify(name)} is stored`, { hint });
}

/** The document of an image, the own store's before the system's; undefined where there is none. */
export async function findDocument(store: Store, name: string): Promise<ImageDocument | undefined> {
  checkName(name);
  const path = await findInStore(store, "images", `${name}.json`);
  if (path === undefined) return undefined;
  const document = await readImageDocument(path);
  if (document && document.name !== name) {
    throw new ClocheError("corrupt-image", `${path}: it describes the image ${document.name}`, {
      hint: `Build it again: cloche image build ${name}.`,
    });
  }
  return document;
}

/** The stored image of that name. Throws `unknown-image`, `corrupt-image`. */
export async function openImage(store: Store, name: string): Promise<Image> {
  const document = await findDocument(store, name);
  if (!document) throw unknownImage(name);
  return await checkImage(store, document);
}

/** Checks every file of it; with `full`, also those that have not changed since they were last hashed. */
export async function checkImage(store: Store, document: ImageDocument, full = false): Promise<Image> {
  const { name } = document;
  const [kernel, initrd, root] = await Promise.all(
    [document.kernel, document.initrd, document.root].map((blob) => checkedBlob(store, blob, name, full)),
  );
  if (kernel === undefined || initrd === undefined || root === undefined) throw unknownImage(name);
  return { name, digest: document.root.digest, kernel, initrd, root, document };
}
