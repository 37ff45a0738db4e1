// Files of the user that an instance may see: the host's document portal, in one tree for the instance.
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openBeneath } from "../native/bindings/index.ts";
import * as fdpass from "../native/fdpass/index.ts";
import { ClocheError } from "../src/errors.ts";
import { type Bus, BusError } from "./bus.ts";

export const documentsName = "org.freedesktop.portal.Documents";
export const documentsPath = "/org/freedesktop/portal/documents";
/** Where the guest has the tree: as on every desktop. */
export const guestDocuments = "/run/user/1000/doc";
const callTimeoutMs = 25_000;

/** Flags of AddFull: the same file again is the same document; a directory. */
const reuseExisting = 1;
const exportDirectory = 8;

export type Right = "read" | "write" | "grant-permissions" | "delete";

export class Documents {
  readonly #bus: Bus;
  readonly #mountPoint: string;
  readonly #appId: string;
  /** What this run has been given, to be taken back at its end. */
  readonly #given = new Set<string>();

  private constructor(bus: Bus, mountPoint: string, appId: string) {
    this.#bus = bus;
    this.#mountPoint = mountPoint;
    this.#appId = appId;
  }

  /** Undefined where the host has no document portal. */
  static async open(bus: Bus, appId: string): Promise<Documents | undefined> {
    const mountPoint = await findMountPoint(bus);
    return mountPoint === undefined ? undefined : new Documents(bus, mountPoint, appId);
  }

  /** On the host: the instance's documents, and nobody else's. */
  get directory(): string {
    return join(this.#mountPoint, "by-app", this.#appId);
  }

  /** Makes the files that these URIs of the host name documents of the instance; their URIs in the guest, in the same order. */
  async addUris(uris: readonly string[], rights: readonly Right[], isDirectory: boolean): Promise<string[]> {
    const paths = uris.map(pathOfUri);
    return Promise.all(paths.map((path) => this.#addPath(path, rights, isDirectory)));
  }

  /** A file that may not exist yet, to be saved. */
  async addNamedUri(uri: string, rights: readonly Right[]): Promise<string> {
    const path = pathOfUri(uri);
    const fd = openBeneath(dirname(path), "", "path");
    try {
      return this.#guestUri(await this.addNamed(fd, Buffer.from(`${basename(path)}\0`), rights), basename(path));
    } finally {
      fdpass.close(fd);
    }
  }

  /** A file in the directory that `fd` refers to; it need not exist yet. `name` ends with a NUL. */
  async addNamed(fd: number, name: Buffer, rights: readonly Right[]): Promise<string> {
    const [id] = await this.#call("AddNamedFull", "hayusas", [fd, name, reuseExisting, this.#appId, [...rights]]);
    this.#given.add(String(id));
    return String(id);
  }

  /** What a descriptor refers to becomes a document. */
  async add(fd: number, rights: readonly Right[], isDirectory: boolean): Promise<string> {
    const flags = reuseExisting | (isDirectory ? exportDirectory : 0);
    const [ids] = await this.#call("AddFull", "ahusas", [[fd], flags, this.#appId, [...rights]]);
    const id = String((ids as unknown[])[0]);
    this.#given.add(id);
    return id;
  }

  /** The documents that this run was given. */
  get ids(): string[] {
    return [...this.#given];
  }

  /** The name of a document, as the tree shows it. */
  async nameOf(id: string): Promise<string> {
    return basename(await this.#originOf(id));
  }

  /** Takes rights to a document away; without the right to read, it is none of the instance's any more. */
  async revoke(id: string, rights: readonly Right[]): Promise<void> {
    await this.#call("RevokePermissions", "ssas", [id, this.#appId, [...rights]]);
    if (rights.includes("read")) this.#given.delete(id);
  }

  /** Takes back what this run was given. */
  async revokeAll(): Promise<void> {
    const all: readonly Right[] = ["read", "write", "grant-permissions", "delete"];
    await Promise.all(this.ids.map((id) => this.revoke(id, all).catch(() => {})));
  }

  /** The host's path of a document of this instance, for a path below the guest's tree. Undefined for any other. */
  hostPath(guestPath: string): string | undefined {
    const inside = guestPath.startsWith(`${guestDocuments}/`) ? guestPath.slice(guestDocuments.length + 1) : undefined;
    return inside === undefined || inside.split("/").some((part) => part === "" || part === "." || part === "..")
      ? undefined
      : join(this.directory, inside);
  }

  /** Where a document of the guest's tree really lies; undefined where it is none, or the instance has no right to it. */
  async realPath(guestPath: string): Promise<string | undefined> {
    const [id = "", ...inside] =
      this.hostPath(guestPath)
        ?.slice(this.directory.length + 1)
        .split("/") ?? [];
    if (!this.#given.has(id)) return undefined;
    const origin = await this.#originOf(id).catch(() => undefined);
    if (origin === undefined) return undefined;
    return inside.length === 0 ? dirname(origin) : join(dirname(origin), ...inside);
  }

  /**
   * A descriptor of a document, or of a file in one that is a directory, where it really lies: the caller's to close.
   * `path` is relative to the guest's tree. Undefined where it is none of this run's; throws where it cannot be opened.
   */
  async openReal(path: string, access: "path" | "write"): Promise<number | undefined> {
    const [id = "", name, ...inside] = path.split("/");
    if (!this.#given.has(id) || name === undefined) return undefined;
    const origin = await this.#originOf(id);
    // The tree has a document by its own name only.
    if (basename(origin) !== name) return undefined;
    return openBeneath(dirname(origin), [name, ...inside].join("/"), access);
  }

  /** The host's own path of a document. */
  async #originOf(id: string): Promise<string> {
    const [path] = await this.#call("Info", "s", [id]);
    return (path as Buffer).toString("utf8").replace(/\0$/, "");
  }

  async #addPath(path: string, rights: readonly Right[], isDirectory: boolean): Promise<string> {
    const real = await realpath(path);
    const fd = openBeneath(dirname(real), basename(real), "path");
    try {
      return this.#guestUri(await this.add(fd, rights, isDirectory), basename(real));
    } finally {
      fdpass.close(fd);
    }
  }

  #guestUri(id: string, name: string): string {
    this.#given.add(id);
    return pathToFileURL(join(guestDocuments, id, name)).href;
  }

  #call(member: string, signature: string, body: readonly unknown[]): Promise<unknown[]> {
    const documents = { destination: documentsName, path: documentsPath, interface: documentsName };
    return this.#bus.call({ ...documents, member, signature, body, timeoutMs: callTimeoutMs });
  }
}

/** Where the host's document portal shows its files, or undefined where there is none. */
async function findMountPoint(bus: Bus): Promise<string | undefined> {
  const documents = { destination: documentsName, path: documentsPath, interface: documentsName };
  try {
    const [path] = await bus.call({ ...documents, member: "GetMountPoint", timeoutMs: callTimeoutMs });
    return (path as Buffer).toString("utf8").replace(/\0$/, "") || undefined;
  } catch (error) {
    if (error instanceof BusError) return undefined;
    throw error;
  }
}

function pathOfUri(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (cause) {
    throw new ClocheError("protocol", "the host's portal named a file that is no local one", { cause });
  }
}
