// What a guest says to the broker, message by message: no front end is between, so that it may lie.
import { once } from "node:events";
import { Socket } from "node:net";
import * as fdpass from "../../../native/fdpass/index.ts";
import { Broker, type BrokerHost } from "../../../portals/broker.ts";
import { encodeFrame, readFrames } from "../../../src/link/frame.ts";
import { frameKind, type GuestFile, type PortalsToGuest } from "../../../src/link/protocol.ts";

export class RawGuest implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #served: Promise<unknown>;
  readonly heard: PortalsToGuest[] = [];
  #waiting: (() => void) | undefined;
  #lastId = 0;

  private constructor(socket: Socket, served: Promise<unknown>) {
    this.#socket = socket;
    this.#served = served;
    void this.#read();
  }

  /** Ready when there is an offer. */
  static async start(host: BrokerHost): Promise<RawGuest> {
    const [ours, theirs] = fdpass.socketpair();
    const served = new Broker(new Socket({ fd: theirs }), host).serve();
    const guest = new RawGuest(new Socket({ fd: ours }), served);
    await guest.hear(({ type }) => type === "offer");
    return guest;
  }

  /** Why the broker ended it. */
  get ended(): Promise<unknown> {
    return this.#served;
  }

  send(message: unknown): void {
    this.#socket.write(encodeFrame(frameKind.json, Buffer.from(JSON.stringify(message))));
  }

  /** `name` is like `Trash.TrashFile`; the number of the call. */
  call(name: string, signature: string, body: unknown[], files: GuestFile[] = []): number {
    const [short, member] = name.split(".");
    this.#lastId += 1;
    const call = { interface: `org.freedesktop.portal.${short}`, member, signature, body, files };
    this.send({ type: "call", id: this.#lastId, ...call });
    return this.#lastId;
  }

  /** What answers a call. */
  async ask(name: string, signature: string, body: unknown[], files?: GuestFile[]) {
    const number = this.call(name, signature, body, files);
    const answers = (message: PortalsToGuest) =>
      (message.type === "reply" || message.type === "error" || message.type === "response") && message.id === number;
    return this.hear(answers);
  }

  /** The first message that there is, or will be, of the kind. */
  async hear(isMeant: (message: PortalsToGuest) => boolean): Promise<PortalsToGuest> {
    for (;;) {
      const found = this.heard.find(isMeant);
      if (found) return found;
      if (this.#socket.destroyed) throw new Error("the broker closed the connection");
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const { payload } of readFrames(this.#socket)) {
        this.heard.push(JSON.parse(payload.toString()) as PortalsToGuest);
        this.#waiting?.();
      }
    } catch {
      // The broker, or the test, has closed it.
    } finally {
      this.#waiting?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#socket.closed) {
      this.#socket.destroy();
      await once(this.#socket, "close");
    }
    await this.#served;
  }
}
