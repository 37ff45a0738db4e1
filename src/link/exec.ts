// A session in the guest, host side: one command on one stream, with its input, output, signals, window size and status.
import type { Socket } from "node:net";
import { ClocheError } from "../errors.ts";
import { encodeFrame, type Frame, readFrames } from "./frame.ts";
import { encodeMessage, parseExec } from "./message.ts";
import { type Command, type ExecToGuest, frameKind, type SignalName, stdinWindowBytes } from "./protocol.ts";

/** Takes a chunk of output; the next one is read once the promise is fulfilled. */
export type OutputSink = (chunk: Buffer) => void | Promise<void>;

export interface ExecSinks {
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
}

/** How a command ended: exactly one of the two is set. */
export interface ExitStatus {
  /** 0 to 255. */
  readonly code: number | null;
  /** `TERM`, `KILL`, … */
  readonly signal: string | null;
}

/** Bytes of one stdin frame, well below the frame's limit. */
const stdinChunkBytes = 64 * 1024;

export class ExecSession {
  readonly #socket: Socket;
  readonly #sinks: ExecSinks;
  /** Bytes of input that the guest has room for. */
  #credit = stdinWindowBytes;
  #taken = Promise.withResolvers<void>();
  /** Rejects with `cannot-execute` when the command could not be started, with `protocol` or `agent-failed` when the link broke. */
  readonly exited: Promise<ExitStatus>;

  /** Starts the command on a stream that is connected to the guest's exec port. */
  constructor(socket: Socket, request: Command, sinks: ExecSinks) {
    this.#socket = socket;
    this.#sinks = sinks;
    socket.on("error", () => {});
    socket.write(encodeMessage({ type: "exec", ...request, stdinCredit: true }));
    this.exited = this.#read(request.argv[0] ?? "");
  }

  /** Resolves once the guest's window has taken all of it, or the session has ended. */
  async writeInput(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0 && this.#isOpen; ) {
      const count = Math.min(rest.length, stdinChunkBytes, this.#credit);
      if (count === 0) await this.#moreCredit();
      this.#credit -= count;
      if (count > 0) this.#socket.write(encodeFrame(frameKind.stdin, rest.subarray(0, count)));
      rest = rest.subarray(count);
    }
  }

  endInput(): void {
    this.#send({ type: "stdin-eof" });
  }

  resize(columns: number, rows: number): void {
    this.#send({ type: "resize", columns, rows });
  }

  /** Sends a signal, `TERM` and the like, to the command's process group. */
  signal(name: SignalName): void {
    this.#send({ type: "signal", name });
  }

  /** Hangs up: the guest ends the command. */
  close(): void {
    this.#socket.destroy();
  }

  get #isOpen(): boolean {
    return this.#socket.writable;
  }

  async #moreCredit(): Promise<void> {
    this.#taken = Promise.withResolvers<void>();
    await Promise.race([this.#taken.promise, this.exited.catch(() => {})]);
  }

  #send(message: ExecToGuest): void {
    if (this.#isOpen) this.#socket.write(encodeMessage(message));
  }

  async #read(program: string): Promise<ExitStatus> {
    try {
      for await (const frame of readFrames(this.#socket)) {
        const status = await this.#receive(frame);
        if (status !== undefined) return status;
      }
    } catch (cause) {
      throw cause instanceof ClocheError
        ? cause
        : new ClocheError("agent-failed", "the link to the guest failed", { cause });
    }
    throw new ClocheError("agent-failed", `the guest ended while ${program} ran`);
  }

  async #receive(frame: Frame): Promise<ExitStatus | undefined> {
    if (frame.kind === frameKind.stdout) await this.#sinks.stdout(frame.payload);
    else if (frame.kind === frameKind.stderr) await this.#sinks.stderr(frame.payload);
    else if (frame.kind !== frameKind.json) throw new ClocheError("protocol", "the guest sent input instead of output");
    else return this.#message(parseExec(frame.payload));
    return undefined;
  }

  #message(message: ReturnType<typeof parseExec>): ExitStatus | undefined {
    if (message.type === "started") return undefined;
    if (message.type === "stdin-taken") return this.#addCredit(message.bytes);
    if (message.type === "failed") throw new ClocheError("cannot-execute", message.message, { cause: message.errno });
    if ((message.code === null) === (message.signal === null))
      throw new ClocheError("protocol", "the guest sent no one exit status");
    return { code: message.code, signal: message.signal };
  }

  #addCredit(bytes: number): undefined {
    this.#credit += bytes;
    if (this.#credit > stdinWindowBytes)
      throw new ClocheError("protocol", "the guest took more input than it was sent");
    this.#taken.resolve();
  }
}
