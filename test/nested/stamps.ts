// What the host has checked against its digest is not hashed again: here its files have another device number, and are the same.
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

interface Stamp {
  readonly path: string;
  readonly size: string;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
}

/** Rewrites the stamps of the store `directory` for the file systems of this machine. */
export async function carryStamps(directory: string): Promise<void> {
  const stamps = join(directory, "verified");
  for (const name of await readdir(stamps).catch(() => [])) {
    const stamp = JSON.parse(await readFile(join(stamps, name), "utf8")) as Stamp;
    const found = await stat(stamp.path, { bigint: true }).catch(() => undefined);
    if (found === undefined) continue;
    const { dev, ino, size, mtimeNs, ctimeNs } = found;
    const isSame = `${size}` === stamp.size && `${mtimeNs}` === stamp.mtimeNs && `${ctimeNs}` === stamp.ctimeNs;
    if (isSame) await writeFile(join(stamps, name), JSON.stringify({ ...stamp, dev: `${dev}`, ino: `${ino}` }));
  }
}
