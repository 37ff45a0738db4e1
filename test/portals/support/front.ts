// The guest's front end without a machine: on a bus of its own, with the broker at the other end of a socket pair.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import * as fdpass from "../../../native/fdpass/index.ts";
import { Broker, type BrokerHost } from "../../../portals/broker.ts";
import { nativeDirectory } from "../../../src/paths.ts";
import type { Session } from "./session.ts";

export interface FrontFacts {
  /** A program that starts it. */
  readonly through?: readonly string[];
  /** Stands for the host's media port. */
  readonly mediaSocket?: string;
}

/** Starts the front end on `guest`'s bus, and a broker for it. Ready when programs can ask. */
export async function startFront(
  guest: Session,
  host: BrokerHost,
  { through = [], mediaSocket }: FrontFacts = {},
): Promise<AsyncDisposable & { broker: Broker }> {
  const [ours, theirs] = fdpass.socketpair();
  const words = ["portals", ...(mediaSocket === undefined ? [] : [mediaSocket])];
  const [program = "", ...args] = [...through, join(nativeDirectory(), "cloche-guest"), ...words];
  const child = spawn(program, args, {
    env: { ...guest.environment },
    stdio: [theirs, "pipe", "inherit"],
  });
  fdpass.close(theirs);
  const ended = once(child, "exit");
  const socket = new Socket({ fd: ours });
  const broker = new Broker(socket, host);
  const served = broker.serve();
  await Promise.race([
    once(child.stdout as Readable, "data"),
    ended.then(() => Promise.reject(new Error("the front end ended"))),
  ]);
  return {
    broker,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await served;
      await ended;
    },
  };
}
