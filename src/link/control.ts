// The control channel, host side: the guest's agent says hello, takes its configuration, and is ready.
import type { Socket } from "node:net";
import { ClocheError } from "../errors.ts";
import { type Frame, readFrames } from "./frame.ts";
import { listenForGuest } from "./hybrid-vsock.ts";
import { encodeMessage, parseControl } from "./message.ts";
import { type Configuration, type ControlFromGuest, frameKind, linkPort, protocolVersion } from "./protocol.ts";

export type Hello = Extract<ControlFromGuest, { type: "hello" }>;
export type Ready = Extract<ControlFromGuest, { type: "ready" }>;
export type GuestLog = (level: "error" | "warn" | "info" | "debug", message: string) => void;

/** The guest's agent, from its connection to its end. */
export class Agent {
  readonly #socket: Socket;
  readonly #hello = Promise.withResolvers<Hello>();
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #closed = Promise.withResolvers<ClocheError>();
  readonly #log: GuestLog;
  #state: "new" | "greeted" | "configured" | "ready" = "new";

  constructor(socket: Socket, log: GuestLog) {
    this.#socket = socket;
    this.#log = log;
    this.#hello.promise.catch(() => {});
    this.#ready.promise.catch(() => {});
    socket.on("error", () => {});
    void this.#read();
  }

  /** Resolves with the reason when the channel ends, whoever ended it. */
  get closed(): Promise<ClocheError> {
    return this.#closed.promise;
  }

  hello(): Promise<Hello> {
    return this.#hello.promise;
  }

  /** Hands the guest its identity. Resolves when its mounts, buses and display stand. */
  configure(configuration: Configuration): Promise<Ready> {
    this.#state = "configured";
    this.#socket.write(encodeMessage({ type: "configure", ...configuration }));
    return this.#ready.promise;
  }

  /** Asks the guest to end its processes within `graceMs`, sync and power off. */
  shutDown(graceMs: number): void {
    this.#socket.write(encodeMessage({ type: "shutdown", graceMs }));
  }

  async #read(): Promise<void> {
    let reason = new ClocheError("agent-failed", "the guest's agent closed its connection");
    try {
      for await (const frame of readFrames(this.#socket)) this.#receive(frame);
    } catch (cause) {
      reason =
        cause instanceof ClocheError
          ? cause
          : new ClocheError("agent-failed", "the link to the guest failed", { cause });
    }
    this.#hello.reject(reason);
    this.#ready.reject(reason);
    this.#closed.resolve(reason);
  }

  #receive(frame: Frame): void {
    if (frame.kind !== frameKind.json)
      throw new ClocheError("protocol", "the guest's agent sent bytes where only messages go");
    const message = parseControl(frame.payload);
    if (this.#state === "new" && message.type !== "hello")
      throw new ClocheError("protocol", `the guest's agent sent ${message.type} before hello`);
    switch (message.type) {
      case "hello":
        this.#greet(message);
        break;
      case "log":
        this.#log(message.level, message.message);
        break;
      case "failed":
        throw new ClocheError("agent-failed", `in the guest: ${message.stage}: ${message.message}`);
      case "ready":
        if (this.#state !== "configured")
          throw new ClocheError("protocol", "the guest's agent was ready at the wrong time");
        this.#state = "ready";
        this.#ready.resolve(message);
    }
  }

  #greet(hello: Hello): void {
    if (this.#state !== "new") throw new ClocheError("protocol", "the guest's agent said hello twice");
    if (hello.protocol !== protocolVersion) {
      throw new ClocheError(
        "protocol",
        `the guest's agent speaks protocol ${hello.protocol}, and ours is ${protocolVersion}`,
        {
          hint: "The image was built by another version of Cloche: rebuild it with `cloche image build`.",
        },
      );
    }
    this.#state = "greeted";
    this.#hello.resolve(hello);
  }
}

export interface AgentListener {
  /** The first connection that the guest makes; it gets no second one. */
  readonly agent: Promise<Agent>;
  close(): void;
}

/** Waits for the agent before the machine is started. */
export async function listenForAgent(socketPath: string, log: GuestLog): Promise<AgentListener> {
  const { promise, resolve } = Promise.withResolvers<Agent>();
  let isTaken = false;
  const server = await listenForGuest(socketPath, linkPort.control, (socket) => {
    if (isTaken) return void socket.destroy();
    isTaken = true;
    resolve(new Agent(socket, log));
  });
  return { agent: promise, close: () => void server.close() };
}
