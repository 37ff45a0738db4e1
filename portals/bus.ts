// One connection to a session bus, with file descriptors.
import { EventEmitter } from "node:events";
import { ClocheError } from "../src/errors.ts";
import { BusStream } from "./bus-stream.ts";
import * as library from "./dbus-library.ts";

export { Variant } from "./dbus-library.ts";

/** An `a{sv}`. */
export type BusDict = Record<string, library.Variant>;

export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  /** Milliseconds until the call fails; without, as long as the connection lasts. */
  readonly timeoutMs?: number;
}

export interface BusSignal {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

export interface SignalMatch {
  readonly sender?: string;
  readonly path?: string;
  readonly interface: string;
  readonly member: string;
  readonly arg0?: string;
}

/** An error that the other side of a call answered with. */
export class BusError extends Error {
  /** Such as `org.freedesktop.DBus.Error.ServiceUnknown`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.name = "BusError";
    this.errorName = errorName;
  }
}

export class Bus implements Disposable {
  readonly #library: library.Bus;
  /** Such as `:1.42`. */
  readonly name: string;
  readonly #stream: BusStream;
  readonly #signals = new EventEmitter();
  readonly #closed = Promise.withResolvers<ClocheError>();

  private constructor(stream: BusStream, { bus, name }: { bus: library.Bus; name: string }) {
    this.#stream = stream;
    this.#library = bus;
    this.name = name;
    this.#signals.setMaxListeners(0);
    bus.on("message", (message: library.Message) => {
      if (library.isSignal(message)) this.#signals.emit("signal", message);
    });
  }

  /**
   * Connects to the bus at `address`, in D-Bus's notation.
   * @throws `unsupported` where there is no address or nobody answers at it
   */
  static async connect(address: string | undefined, timeoutMs = 5_000): Promise<Bus> {
    if (!address) throw new ClocheError("unsupported", "DBUS_SESSION_BUS_ADDRESS is not set: there is no session bus");
    const refuse = (cause: unknown) => new ClocheError("unsupported", "the session bus cannot be used", { cause });
    let stream: BusStream;
    try {
      stream = BusStream.connect(address);
    } catch (cause) {
      throw refuse(cause);
    }
    const timer = setTimeout(() => stream.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    try {
      const bus = new Bus(stream, await library.connect(stream));
      const end = (cause?: unknown) => bus.#closed.resolve(refuse(cause));
      stream.on("error", end);
      stream.once("end", end);
      return bus;
    } catch (cause) {
      stream.destroy();
      throw refuse(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves with the reason when the connection has ended. */
  get closed(): Promise<ClocheError> {
    return this.#closed.promise;
  }

  /** The body of the answer. Descriptors in it are the caller's to close. Throws `BusError`, or `unsupported` when the bus ends first. */
  async call(call: BusCall): Promise<unknown[]> {
    const message = library.newCall({ ...call, signature: call.signature ?? "", body: [...(call.body ?? [])] });
    const answer = this.#library.call(message);
    answer.catch(() => {});
    const late = Promise.withResolvers<never>();
    const fail = () => late.reject(new BusError("org.freedesktop.DBus.Error.NoReply", `${call.member}: no answer`));
    const timer = call.timeoutMs === undefined ? undefined : setTimeout(fail, call.timeoutMs);
    const ended = this.closed.then((reason) => Promise.reject(reason));
    try {
      return [...((await Promise.race([answer, ended, late.promise]))?.body ?? [])];
    } catch (cause) {
      const error = library.errorOf(cause);
      throw error === undefined ? cause : new BusError(error.name, error.text);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hears a signal from here on; disposed of, no more. */
  async onSignal(match: SignalMatch, listener: (signal: BusSignal) => void): Promise<AsyncDisposable> {
    const rule = Object.entries(match).map(([key, value]) => `${key}='${value}'`);
    const owner = match.sender === undefined ? undefined : await this.#ownerOf(match.sender);
    const hear = (message: library.Message) => {
      const { sender = "", path = "", member = "", body = [] } = message;
      const isMeant =
        message.interface === match.interface &&
        member === match.member &&
        (match.path === undefined || path === match.path) &&
        (match.arg0 === undefined || body[0] === match.arg0) &&
        (owner === undefined || sender === owner.name);
      if (isMeant) listener({ sender, path, interface: match.interface, member, body });
    };
    this.#signals.on("signal", hear);
    const tell = (member: string) => this.#tellBus(member, "s", [`type='signal',${rule.join(",")}`]);
    await tell("AddMatch");
    return {
      [Symbol.asyncDispose]: async () => {
        this.#signals.off("signal", hear);
        owner?.stop();
        await tell("RemoveMatch").catch(() => {});
      },
    };
  }

  /** Who has a name now, followed as it changes: a signal is believed from its owner only. */
  async #ownerOf(name: string): Promise<{ name: string; stop(): void }> {
    if (name === "org.freedesktop.DBus" || name.startsWith(":")) return { name, stop: () => {} };
    const owner = { name: "", stop: () => {} };
    const follow = await this.onSignal(
      { sender: "org.freedesktop.DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged", arg0: name },
      ({ body }) => {
        owner.name = String(body[2]);
      },
    );
    owner.stop = () => void follow[Symbol.asyncDispose]();
    const answer = await this.#tellBus("GetNameOwner", "s", [name]).catch(() => [""]);
    owner.name ||= String(answer[0]);
    return owner;
  }

  #tellBus(member: string, signature: string, body: readonly unknown[]): Promise<unknown[]> {
    const bus = "org.freedesktop.DBus";
    return this.call({ destination: bus, path: "/org/freedesktop/DBus", interface: bus, member, signature, body });
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
    this.#closed.resolve(new ClocheError("unsupported", "the connection to the session bus was closed"));
  }
}
