// Checks files against their digest. A full check is remembered by the file's identity, so an unchanged file is hashed once.
import { createHash } from "node:crypto";
import { type BigIntStats, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ClocheError } from "../errors.ts";
import { hashFile } from "./blobs.ts";
import type { Blob } from "./document.ts";
import { blobPath, readBounded, type Store, writeAtomically } from "./store.ts";

/** What a changed file cannot keep: writing to it sets its ctime, and nobody can set that back. */
interface Stamp {
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
  readonly size: string;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly digest: string;
}

/** The SHA-256 of a file, in hex; remembered in the own store, or not where that cannot be written. */
export async function digestOf(store: Store, path: string): Promise<string> {
  const identity = identityOf(path, await stat(path, { bigint: true }));
  const file = stampPath(store, path);
  const remembered = parseStamp(await readBounded(file, 16_384).catch(() => undefined));
  if (remembered && sameFile(remembered, identity)) return remembered.digest;
  return await hashAndRemember(store, path);
}

/** Hashes the file, whatever is remembered. */
export async function hashAndRemember(store: Store, path: string): Promise<string> {
  const before = identityOf(path, await stat(path, { bigint: true }));
  const digest = await hashFile(path);
  const after = identityOf(path, await stat(path, { bigint: true }));
  // A write within the clock's tick of the last one leaves the times as they are: such a file is not remembered yet.
  const settled = Date.now() - Number(BigInt(after.ctimeNs) / 1_000_000n) > 100;
  if (settled && sameFile(before, after)) {
    await writeAtomically(stampPath(store, path), `${JSON.stringify({ ...after, digest })}\n`).catch(() => undefined);
  }
  return digest;
}

/** The path of a blob whose content is what its name says. Throws `corrupt-image`; `image` is named in the hint. */
export async function checkedBlob(store: Store, blob: Blob, image: string, full = false): Promise<string> {
  const hint = `Build it again: cloche image build ${image}.`;
  const found = store.lookup.map((directory) => blobPath(directory, blob.digest)).find((path) => existsSync(path));
  if (found === undefined) {
    throw new ClocheError("corrupt-image", `${blobPath(store.own, blob.digest)} of image ${image} is missing`, { hint });
  }
  const digest = full ? await hashAndRemember(store, found) : await digestOf(store, found);
  if (digest === blob.digest) return found;
  throw new ClocheError("corrupt-image", `${found} of image ${image} has the digest ${digest}, and should have ${blob.digest}`, { hint });
}

const stampPath = (store: Store, path: string) =>
  join(store.own, "verified", `${createHash("sha256").update(path).digest("hex")}.json`);

function identityOf(path: string, found: BigIntStats): Omit<Stamp, "digest"> {
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return { path, dev: `${dev}`, ino: `${ino}`, size: `${size}`, mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}` };
}

const identityKeys = ["path", "dev", "ino", "size", "mtimeNs", "ctimeNs"] as const;

const sameFile = (a: Omit<Stamp, "digest">, b: Omit<Stamp, "digest">) => identityKeys.every((key) => a[key] === b[key]);

function parseStamp(text: string | undefined): Stamp | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    const stamp = value as Record<string, unknown>;
    const whole = [...identityKeys, "digest"].every((key) => typeof stamp[key] === "string");
    return whole ? (stamp as unknown as Stamp) : undefined;
  } catch {
    return undefined;
  }
}
