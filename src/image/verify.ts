// Checks files against their digest. A full check is remembered by the file's identity, so an unchanged file is hashed once.
import { createHash } from "node:crypto";
import { type BigIntStats, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ClocheError } from "../errors.ts";
import { hashFile } from "./blobs.ts";
import type { BuildContext } from "./context.ts";
import type { Blob } from "./document.ts";
import { blobPath, readBounded, type Store, writeAtomically } from "./store.ts";

/** Longer than the coarsest clock that a kernel stamps files with (100 Hz). */
const clockTickMs = 20;

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
  // A write within the same tick of the kernel's clock leaves the times as they are, and would go unnoticed.
  const ageMs = async () => Date.now() - (await stat(path)).ctimeMs;
  if ((await ageMs()) < clockTickMs) await setTimeout(clockTickMs);
  const settled = (await ageMs()) >= clockTickMs;
  const before = identityOf(path, await stat(path, { bigint: true }));
  const digest = await hashFile(path);
  const after = identityOf(path, await stat(path, { bigint: true }));
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
    throw new ClocheError("corrupt-image", `${blobPath(store.own, blob.digest)} of image ${image} is missing`, {
      hint,
    });
  }
  const digest = full ? await hashAndRemember(store, found) : await digestOf(store, found);
  if (digest === blob.digest) return found;
  throw new ClocheError(
    "corrupt-image",
    `${found} of image ${image} has the digest ${digest}, and should have ${blob.digest}`,
    { hint },
  );
}

/** What `work` finds; in a build that repairs, nothing where that is damaged. */
export async function unlessDamaged<T>(
  context: BuildContext,
  work: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (context.repair && error instanceof ClocheError && error.code === "corrupt-image") return undefined;
    throw error;
  }
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
