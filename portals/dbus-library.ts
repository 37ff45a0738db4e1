// dbus-next over a stream of ours: its own streams carry no descriptors without another addon. The only file that knows it.
import { EventEmitter, once } from "node:events";
import { createRequire } from "node:module";
import {
  type MessageBus as DBusBus,
  DBusError,
  Message as DBusMessage,
  type MessageLike,
  MessageType,
  Variant,
} from "dbus-next";
import * as fdpass from "../native/fdpass/index.ts";
import type { BusStream } from "./bus-stream.ts";

export { Variant };
export type Message = DBusMessage;
export type Bus = DBusBus;

export const newCall = (message: MessageLike): Message => new DBusMessage(message);
export const isSignal = (message: Message): boolean => message.type === MessageType.SIGNAL;

/** What another program answered with, or undefined where the failure is none of its making. */
export const errorOf = (thrown: unknown): { name: string; text: string } | undefined =>
  thrown instanceof DBusError ? { name: thrown.type, text: thrown.text ?? "" } : undefined;

interface Connection extends EventEmitter {
  stream: BusStream;
  message(message: Message): void;
}

/** A parsed message, before the library has made its class of it. */
type RawMessage = MessageLike & { unixFd?: number };

const load = createRequire(import.meta.url);
const parts = () => ({
  MessageBus: load("dbus-next/lib/bus") as new (connection: Connection) => DBusBus,
  handshake: load("dbus-next/lib/handshake") as (
    stream: BusStream,
    options: object,
    done: (error: unknown) => void,
  ) => void,
  wire: load("dbus-next/lib/message") as {
    unmarshalMessages(stream: BusStream, onMessage: (message: RawMessage) => void, options: object): void;
  },
  format: load("dbus-next/lib/marshall-compat") as {
    messageToJsFmt(message: RawMessage): RawMessage;
    marshallMessage(message: Message): [Buffer, number[]];
  },
});

/** Greets the bus. Rejects where the stream fails first. */
export async function connect(stream: BusStream): Promise<{ bus: DBusBus; name: string }> {
  const { MessageBus, handshake, wire, format } = parts();
  const greeted = Promise.withResolvers<void>();
  stream.on("error", greeted.reject);
  stream.once("end", () => greeted.reject(new Error("the bus closed the connection")));
  handshake(stream, { authMethods: ["EXTERNAL"] }, (error) => (error ? greeted.reject(error) : greeted.resolve()));
  await greeted.promise;

  const connection: Connection = Object.assign(new EventEmitter(), {
    stream,
    message(message: Message) {
      const [data, fds] = format.marshallMessage(message);
      stream.write({ data, fds });
    },
  });
  const receive = (raw: RawMessage) => {
    const fds = stream.fds.splice(0, raw.unixFd ?? 0);
    const message = new DBusMessage(format.messageToJsFmt(raw));
    // Only an answer that somebody waits for may bring descriptors.
    if (message.type !== MessageType.METHOD_RETURN) for (const fd of fds) fdpass.close(fd);
    connection.emit("message", message);
  };
  wire.unmarshalMessages(
    stream,
    (raw) => {
      try {
        receive(raw);
      } catch (cause) {
        stream.destroy(cause instanceof Error ? cause : new Error(String(cause)));
      }
    },
    {},
  );
  const bus = new MessageBus(connection);
  bus.on("error", () => {});
  // Nobody calls us: whoever tries is told so by the library.
  await Promise.race([once(bus, "connect"), new Promise((_, reject) => stream.once("end", reject))]);
  return { bus, name: (bus as DBusBus & { name: string }).name };
}
