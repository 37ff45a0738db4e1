// A connection to sway's IPC socket (sway-ipc(7)): requests, and events as they come.
import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";

const magic = Buffer.from("i3-ipc");
const headerBytes = magic.length + 8;
const requestTypes = { command: 0, subscribe: 2, tree: 4 } as const;
const eventBit = 0x8000_0000;

/** One node of sway's tree; the fields that are read here. */
export interface SwayNode {
  readonly id: number;
  readonly name: string | null;
  readonly app_id?: string | null;
  readonly pid?: number;
  readonly focused: boolean;
  readonly rect: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly window_rect: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly nodes: readonly SwayNode[];
  readonly floating_nodes: readonly SwayNode[];
}

export interface WindowEvent {
  readonly change: string;
  readonly container: SwayNode;
}

export class SwayConnection implements Disposable {
  readonly #socket: Socket;
  readonly #replies: Array<(payload: unknown) => void> = [];
  readonly #events = new EventEmitter();
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // Whoever waits has a deadline of their own.
    socket.on("error", () => {});
  }

  /** Connects and subscribes to what happens to windows. */
  static async open(path: string): Promise<SwayConnection> {
    const socket = connect(path);
    await once(socket, "connect", { signal: AbortSignal.timeout(5_000) });
    const connection = new SwayConnection(socket);
    await connection.#request("subscribe", '["window"]');
    return connection;
  }

  /** All windows, in no particular order. */
  async windows(): Promise<SwayNode[]> {
    return leaves((await this.#request("tree", "")) as SwayNode);
  }

  /** Runs one of sway's commands (sway(5)). */
  async run(command: string): Promise<void> {
    const results = (await this.#request("command", command)) as Array<{ success: boolean; error?: string }>;
    const failed = results.find(({ success }) => !success);
    if (failed) throw new Error(`sway: ${command}: ${failed.error ?? "failed"}`);
  }

  onWindow(listener: (event: WindowEvent) => void): Disposable {
    this.#events.on("window", listener);
    return { [Symbol.dispose]: () => this.#events.off("window", listener) };
  }

  #request(type: keyof typeof requestTypes, payload: string): Promise<unknown> {
    const header = Buffer.alloc(headerBytes);
    magic.copy(header);
    header.writeUInt32LE(Buffer.byteLength(payload), magic.length);
    header.writeUInt32LE(requestTypes[type], magic.length + 4);
    this.#socket.write(Buffer.concat([header, Buffer.from(payload)]));
    return new Promise((resolve) => this.#replies.push(resolve));
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= headerBytes) {
      const end = headerBytes + this.#received.readUInt32LE(magic.length);
      if (this.#received.length < end) return;
      const type = this.#received.readUInt32LE(magic.length + 4);
      const payload: unknown = JSON.parse(this.#received.toString("utf8", headerBytes, end));
      this.#received = this.#received.subarray(end);
      if (type >= eventBit) this.#events.emit("window", payload);
      else this.#replies.shift()?.(payload);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function leaves(node: SwayNode): SwayNode[] {
  const children = [...node.nodes, ...node.floating_nodes];
  return node.pid === undefined ? children.flatMap(leaves) : [node];
}
