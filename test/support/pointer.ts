// A pointer for a desktop that has none: a Wayland client of its own with a virtual device (wlr-virtual-pointer-unstable-v1).
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Of the headless desktop's only output. */
const extent = { width: 1280, height: 800 };
const deadlineMs = 10_000;
/** Of linux/input-event-codes.h. */
const leftButton = 0x110;

const display = 1;
const registry = 2;

/** The input of one seat. Each call resolves once the compositor has handled it. */
export class Pointer implements Disposable {
  readonly #socket: Socket;
  readonly #callbacks = new Map<number, () => void>();
  readonly #globals = new Map<string, number>();
  /** Identifiers have to come without a gap. */
  #nextId = registry;
  #device = 0;
  #received = Buffer.alloc(0);
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the compositor hung up")));
  }

  /** `path` is the compositor's socket. From here on its seat has a pointer. */
  static async open(path: string): Promise<Pointer> {
    const socket = connect(path);
    await once(socket, "connect", { signal: AbortSignal.timeout(deadlineMs) });
    const pointer = new Pointer(socket);
    pointer.#send(display, 1, pointer.#nextId++);
    await pointer.#done();
    const name = pointer.#globals.get("zwlr_virtual_pointer_manager_v1");
    if (name === undefined) throw new Error("the compositor has no virtual pointers");
    const manager = pointer.#nextId++;
    pointer.#send(registry, 0, name, "zwlr_virtual_pointer_manager_v1", 1, manager);
    pointer.#device = pointer.#nextId++;
    pointer.#send(manager, 0, 0, pointer.#device);
    await pointer.#done();
    return pointer;
  }

  /** In pixels from the output's upper left corner. */
  async move(x: number, y: number): Promise<void> {
    this.#send(this.#device, 1, this.#time(), Math.round(x), Math.round(y), extent.width, extent.height);
    this.#send(this.#device, 4);
    await this.#done();
  }

  async press(): Promise<void> {
    await this.#button(1);
  }

  async release(): Promise<void> {
    await this.#button(0);
  }

  async click(x: number, y: number): Promise<void> {
    await this.move(x, y);
    await this.press();
    await this.release();
  }

  async #button(state: 0 | 1): Promise<void> {
    this.#send(this.#device, 2, this.#time(), leftButton, state);
    this.#send(this.#device, 4);
    await this.#done();
  }

  #time(): number {
    return Math.floor(performance.now()) >>> 0;
  }

  /** wl_display.sync: what was sent before has been handled. */
  async #done(): Promise<void> {
    if (this.#failure) throw this.#failure;
    const { promise, resolve } = Promise.withResolvers<void>();
    const id = this.#nextId++;
    this.#callbacks.set(id, resolve);
    this.#send(display, 0, id);
    await promise;
    if (this.#failure) throw this.#failure;
  }

  #send(object: number, opcode: number, ...values: readonly (number | string)[]): void {
    const body = Buffer.concat(values.map((value) => (typeof value === "number" ? word(value) : string(value))));
    this.#socket.write(Buffer.concat([word(object), word((((8 + body.length) << 16) | opcode) >>> 0), body]));
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 8) {
      const size = this.#received.readUInt32LE(4) >>> 16;
      if (size < 8 || this.#received.length < size) return;
      this.#handle(this.#received.subarray(0, size));
      this.#received = this.#received.subarray(size);
    }
  }

  #handle(message: Buffer): void {
    const object = message.readUInt32LE(0);
    const opcode = message.readUInt32LE(4) & 0xffff;
    if (object === display && opcode === 0) this.#fail(new Error(`Wayland error: ${message.toString("latin1", 20)}`));
    else if (object === registry && opcode === 0) {
      const length = message.readUInt32LE(12);
      this.#globals.set(message.toString("latin1", 16, 15 + length), message.readUInt32LE(8));
    } else this.#callbacks.get(object)?.();
    this.#callbacks.delete(object);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const resolve of this.#callbacks.values()) resolve();
    this.#callbacks.clear();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** Length with the closing NUL, and bytes padded to whole words. */
function string(text: string): Buffer {
  const length = Buffer.byteLength(text) + 1;
  const bytes = Buffer.alloc(4 + ((length + 3) & ~3));
  bytes.writeUInt32LE(length);
  bytes.write(text, 4);
  return bytes;
}
