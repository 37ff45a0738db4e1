// Walks a directory tree: its digest, and the permissions that let every user read it.
import { createHash } from "node:crypto";
import { chmod, lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, relative } from "node:path";

export interface TreeDigest {
  readonly digest: string;
  readonly files: number;
  /** Bytes of all regular files. */
  readonly size: number;
}

/** Digest of every path below `root` with its kind, executable bit and content. */
export async function digestTree(root: string): Promise<TreeDigest> {
  const hash = createHash("sha256");
  let files = 0;
  let size = 0;
  for await (const path of walk(root)) {
    const found = await lstat(path);
    const name = relative(root, path);
    if (found.isSymbolicLink()) hash.update(JSON.stringify(["link", name, await readlink(path)]));
    else if (found.isDirectory()) hash.update(JSON.stringify(["directory", name]));
    else if (found.isFile()) {
      const content = await readFile(path);
      hash.update(JSON.stringify(["file", name, (found.mode & 0o100) !== 0, content.length])).update(content);
      files += 1;
      size += content.length;
    }
  }
  return { digest: hash.digest("hex"), files, size };
}

/** Lets everyone read all of it, and nobody gain a privilege by it: no set-user-id bits. */
export async function makeReadable(root: string): Promise<void> {
  for await (const path of walk(root)) {
    const found = await lstat(path);
    if (found.isSymbolicLink()) continue;
    const mode = found.isDirectory() || (found.mode & 0o100) !== 0 ? 0o755 : 0o644;
    if ((found.mode & 0o7777) !== mode) await chmod(path, mode);
  }
}

async function* walk(directory: string): AsyncGenerator<string> {
  yield directory;
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}
