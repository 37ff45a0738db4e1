// The store on disk: the user's own, which is written, and the system's, which is only read. Blobs are named by their SHA-256.
import { constants } from "node:fs";
import { access, chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ClocheError } from "../errors.ts";
import { guardSpace } from "./space.ts";

export interface Store {
  /** The directory that is written to. */
  readonly own: string;
  /** Directories that are read, the own one first. */
  readonly lookup: readonly string[];
}

const systemStore = "/var/cache/cloche";

export interface StoreEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly euid: number;
  readonly home: string;
}

/** Where the stores are, the system's last: $CLOCHE_STORE alone, or the user's cache before /var/cache/cloche. */
export function storeDirectories({ variables, euid, home }: StoreEnvironment): [string, ...string[]] {
  const override = variables.CLOCHE_STORE;
  if (override?.startsWith("/")) return [override];
  if (euid === 0) return [systemStore];
  const cache = variables.XDG_CACHE_HOME;
  return [join(cache?.startsWith("/") ? cache : join(home, ".cache"), "cloche"), systemStore];
}

/** Finds the stores of this user. Nothing is created. */
export async function openStore(): Promise<Store> {
  const environment = { variables: process.env, euid: process.geteuid?.() ?? -1, home: homedir() };
  const [own, ...others] = storeDirectories(environment);
  const trusted = await Promise.all(others.map(async (path) => ((await isTrusted(path)) ? [path] : [])));
  return { own, lookup: [own, ...trusted.flat()] };
}

/** Only root can have put anything there. */
async function isTrusted(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === 0 && (found.mode & 0o022) === 0;
}

/** Makes the own store's directory `parts` and returns it. Root's is readable by everyone. Throws `state`. */
export async function storeDirectory(store: Store, ...parts: string[]): Promise<string> {
  const path = join(store.own, ...parts);
  try {
    await guardSpace(path, () => mkdir(path, { recursive: true, mode: 0o755 }));
    await access(path, constants.W_OK);
  } catch (cause) {
    if (cause instanceof ClocheError) throw cause;
    throw new ClocheError("state", `${path} cannot be written`, {
      cause,
      hint: "Set CLOCHE_STORE to a directory of yours.",
    });
  }
  return path;
}

export const blobPath = (directory: string, digest: string): string => join(directory, "blobs", "sha256", digest);

/** The first store's file at `parts` that exists. */
export async function findInStore(store: Store, ...parts: string[]): Promise<string | undefined> {
  for (const directory of store.lookup) {
    const path = join(directory, ...parts);
    if (await stat(path).catch(() => undefined)) return path;
  }
  return undefined;
}

/** Every name in the directory `parts` of any store. */
export async function listStore(store: Store, ...parts: string[]): Promise<string[]> {
  const lists = await Promise.all(store.lookup.map((directory) => readdir(join(directory, ...parts)).catch(() => [])));
  return [...new Set(lists.flat())].sort();
}

/** Reads at most `maxBytes` of a file; undefined where it does not exist. Throws `state`, also for a larger one. */
export async function readBounded(path: string, maxBytes: number): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  if (found.size > maxBytes)
    throw new ClocheError("state", `${path} has ${found.size} bytes; at most ${maxBytes} are read`);
  return readFile(path, "utf8");
}

/** Replaces a file as a whole, so that a reader and a crash see the old one or the new one. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  await guardSpace(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    try {
      const file = await open(temporary, "w", 0o644);
      await file.writeFile(text);
      await file.sync();
      await file.close();
      await chmod(temporary, 0o644);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}
