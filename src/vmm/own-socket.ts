// Connects to a socket in a directory that the monitor can write to: whatever it has put there, no other socket of the user's is reached.
import { once } from "node:events";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { ClocheError } from "../errors.ts";

/** Linux's O_PATH: the file itself, without opening it. Node has no name for it. */
const pathOnly = 0o10000000;

/** Throws `monitor-failed` where there is no socket, `protocol` for anything else in its place. */
export async function connectOwnSocket(path: string, timeoutMs: number): Promise<Socket> {
  const failed = (cause: unknown) =>
    new ClocheError("monitor-failed", "the monitor's socket cannot be connected to", { cause });
  const file = await open(path, pathOnly | constants.O_NOFOLLOW).catch((cause) => Promise.reject(failed(cause)));
  try {
    if (!(await file.stat()).isSocket()) throw new ClocheError("protocol", "the monitor's socket is something else");
    // By way of the descriptor: the path may lead elsewhere by now.
    const socket = connect(`/proc/self/fd/${file.fd}`);
    await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMs) }).catch((cause) => {
      socket.destroy();
      throw failed(cause);
    });
    return socket;
  } finally {
    await file.close();
  }
}
