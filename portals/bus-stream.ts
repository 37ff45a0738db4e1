// A Unix stream with descriptors, in the form in which the D-Bus library wants its streams.
import { EventEmitter } from "node:events";
import * as fdpass from "../native/fdpass/index.ts";
import { ClocheError } from "../src/errors.ts";

const chunkBytes = 65_536;
/** What one message of a bus may bring (dbus-daemon's own bound is 16 for sessions). */
const maxDescriptors = 253;
/** The greatest message by the D-Bus specification. */
const maxHeldBytes = 128 * 2 ** 20;

interface Outgoing {
  data: Buffer;
  fds: readonly number[];
}

export class BusStream extends EventEmitter {
  /** The library asks for descriptors where this is true, and sets it to false where the bus has none. */
  supportsUnixFd = true;
  /** Descriptors that have come and that no message has taken yet, in order. */
  readonly fds: number[] = [];
  readonly #fd: number;
  #stopReading: () => void;
  #stopWriting: (() => void) | undefined;
  #chunks: Buffer[] = [];
  #held = 0;
  #queue: Outgoing[] = [];
  #isClosed = false;

  private constructor(fd: number) {
    super();
    this.#fd = fd;
    this.#stopReading = fdpass.watchReadable(fd, () => this.#fill());
    this.on("error", () => {});
  }

  /** Throws where no address of `text` is that of a Unix socket on which somebody listens. */
  static connect(text: string): BusStream {
    let failure: unknown = new ClocheError("unsupported", `no address of a Unix socket is in ${text}`);
    for (const path of unixPaths(text)) {
      try {
        return new BusStream(fdpass.connectUnix(path));
      } catch (cause) {
        failure = cause;
      }
    }
    throw failure;
  }

  get writable(): boolean {
    return !this.#isClosed;
  }

  /** Exactly `count` bytes (with the descriptors that wait, for whoever reads a message), or null until they are there. */
  read(count: number): Buffer | { data: Buffer; fds: number[] } | null {
    if (count === 0) return Buffer.alloc(0);
    if (this.#held < count) return null;
    if ((this.#chunks[0]?.length ?? 0) < count) this.#chunks = [Buffer.concat(this.#chunks)];
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    this.#held -= count;
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    const data = first.subarray(0, count);
    return this.fds.length > 0 ? Object.assign(data, { data, fds: this.fds }) : data;
  }

  write(data: Buffer | string | { data: Buffer; fds: readonly number[] }): void {
    if (this.#isClosed) return;
    const outgoing =
      typeof data === "string"
        ? { data: Buffer.from(data, "latin1"), fds: [] }
        : Buffer.isBuffer(data)
          ? { data, fds: [] }
          : { data: data.data, fds: data.fds };
    this.#queue.push(outgoing);
    if (this.#stopWriting === undefined) this.#flush();
  }

  end(): void {
    this.destroy();
  }

  destroy(cause?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopReading();
    this.#stopWriting?.();
    fdpass.close(this.#fd);
    for (const fd of this.fds.splice(0)) fdpass.close(fd);
    if (cause) this.emit("error", cause);
    this.emit("end");
  }

  #fill(): void {
    try {
      const message = fdpass.receive(this.#fd, chunkBytes, maxDescriptors);
      if (message === undefined) return;
      if (message.bytes.length === 0) {
        this.destroy();
        return;
      }
      this.fds.push(...message.fds);
      this.#chunks.push(message.bytes);
      this.#held += message.bytes.length;
      if (this.#held > maxHeldBytes) throw new ClocheError("protocol", "the bus sends a message without end");
      this.emit("readable");
    } catch (cause) {
      this.destroy(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  #flush(): void {
    try {
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        const taken = fdpass.send(this.#fd, next.data, next.fds);
        if (taken === undefined) {
          this.#stopWriting ??= fdpass.watchWritable(this.#fd, () => this.#flush());
          return;
        }
        if (taken === next.data.length) this.#queue.shift();
        else this.#queue[0] = { data: next.data.subarray(taken), fds: [] };
      }
      this.#stopWriting?.();
      this.#stopWriting = undefined;
    } catch (cause) {
      this.destroy(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }
}

/** The paths in `unix:path=/run/user/1000/bus,guid=…;…`; an abstract name begins with a NUL. */
function unixPaths(addresses: string): string[] {
  return addresses.split(";").flatMap((address) => {
    const [, family, text = ""] = /^([a-z]+):(.*)$/.exec(address) ?? [];
    if (family !== "unix") return [];
    const keys = new Map(text.split(",").map((pair) => [pair.split("=", 1)[0], pair.slice(pair.indexOf("=") + 1)]));
    const [path, abstract] = [keys.get("path"), keys.get("abstract")];
    if (path !== undefined) return [decodeURIComponent(path)];
    return abstract === undefined ? [] : [`\0${decodeURIComponent(abstract)}`];
  });
}
