// The documents of the store: what a runtime, a kernel and an image are made of. Read by schema, written as a whole.
import { ClocheError } from "../errors.ts";
import { type SchemaCheck, schemaCheck } from "../schema.ts";
import type { Package } from "./bootstrap.ts";
import schema from "./documents.schema.json" with { type: "json" };
import { readBounded, writeAtomically } from "./store.ts";
import type { TreeDigest } from "./tree.ts";

/** Bytes. An image of two thousand packages has a tenth of it. */
const maxBytes = 2 * 1024 * 1024;

/** A file of the store, named by the SHA-256 of its content. */
export interface Blob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface RuntimeDocument {
  readonly formatVersion: 1;
  /** Of the recipe and the packages' versions. */
  readonly digest: string;
  readonly recipeDigest: string;
  readonly tree: TreeDigest;
  readonly packages: readonly Package[];
}

export interface KernelDocument {
  readonly formatVersion: 1;
  readonly recipeDigest: string;
  /** What `uname -r` says. */
  readonly release: string;
  /** The uncompressed ELF file. */
  readonly vmlinux: Blob;
  /** The part of the initramfs that has the modules. */
  readonly modules: Blob;
  readonly packages: readonly Package[];
}

export interface ImageDocument {
  readonly formatVersion: 1;
  readonly name: string;
  readonly recipeDigest: string;
  /** ISO 8601, UTC: when the root was built. */
  readonly created: string;
  readonly packages: readonly Package[];
  readonly kernel: Blob & { readonly release: string };
  /** `modules` and `guest` are the digests of what it was put together from. */
  readonly initrd: Blob & { readonly modules: string; readonly guest: string };
  readonly root: Blob & { readonly format: "erofs" };
}

interface Documents {
  readonly runtime: RuntimeDocument;
  readonly kernel: KernelDocument;
  readonly image: ImageDocument;
}
type Kind = keyof Documents;

const checks: { readonly [K in Kind]: SchemaCheck<Documents[K]> } = {
  runtime: schemaCheck(schema, "#/$defs/runtime"),
  kernel: schemaCheck(schema, "#/$defs/kernel"),
  image: schemaCheck(schema, "#/$defs/image"),
};

/** Undefined where the file does not exist. Throws `corrupt-image` where it is not such a document. */
export const readRuntimeDocument = (path: string) => readDocument(path, "runtime");
export const readKernelDocument = (path: string) => readDocument(path, "kernel");
export const readImageDocument = (path: string) => readDocument(path, "image");

export const writeDocument = (
  path: string,
  document: RuntimeDocument | KernelDocument | ImageDocument,
): Promise<void> => writeAtomically(path, `${JSON.stringify(document, null, 2)}\n`);

async function readDocument<K extends Kind>(path: string, kind: K): Promise<Documents[K] | undefined> {
  const text = await readBounded(path, maxBytes);
  return text === undefined ? undefined : parseDocument(text, path, kind);
}

/** The value that `text` holds. Throws `corrupt-image`, which names `path` and the first field that is wrong. */
export function parseDocument<K extends Kind>(text: string, path: string, kind: K): Documents[K] {
  const check: SchemaCheck<Documents[K]> = checks[kind];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, "not readable as JSON", cause);
  }
  if (check.isValid(value)) return value;
  const { error } = check;
  throw corrupt(path, `${error?.instancePath || "document"} ${error?.message ?? "is not valid"}`);
}

function corrupt(path: string, reason: string, cause?: unknown): ClocheError {
  return new ClocheError("corrupt-image", `${path}: ${reason}`, {
    cause,
    hint: "Remove the file; what it describes is then built anew.",
  });
}
