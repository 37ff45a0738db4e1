// Hybrid vsock (Firecracker docs/vsock.md): a Unix socket a VM, `CONNECT <port>\n` towards the guest, `<path>_<port>` from it.
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import * as fdpass from "../../native/fdpass/index.ts";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { receiveOnce } from "./receive-once.ts";

/** Bytes of `OK <port>\n`, the port being a u32. */
const maxAnswerBytes = 16;
const answerTimeoutMs = scaled(5_000);

/** The path on which the host listens for the guest's connections to `port`. */
export const hostPortPath = (socketPath: string, port: number): string => `${socketPath}_${port}`;

/**
 * Opens a stream to a port in the guest.
 * @returns a descriptor that the caller owns, for `new Socket({ fd })` or to pass on
 * @throws `agent-failed` where nothing answers on that port
 */
export async function connectGuest(socketPath: string, port: number): Promise<number> {
  const refuse = (cause: unknown) =>
    new ClocheError("agent-failed", `nothing in the guest answers on port ${port}`, { cause });
  const fd = openSocket(socketPath, refuse);
  try {
    fdpass.send(fd, Buffer.from(`CONNECT ${port}\n`), []);
    // The guest's ends speak only when spoken to, so nothing of the stream can follow the answer.
    const { bytes } = await receiveOnce(fd, { timeoutMs: answerTimeoutMs, maxBytes: maxAnswerBytes, maxFds: 0 });
    const answer = bytes.toString("latin1");
    if (!/^OK \d+\n$/.test(answer)) throw new ClocheError("protocol", `the link answered ${JSON.stringify(answer)}`);
    return fd;
  } catch (cause) {
    fdpass.close(fd);
    throw refuse(cause);
  }
}

function openSocket(path: string, refuse: (cause: unknown) => ClocheError): number {
  try {
    return fdpass.connectUnix(path);
  } catch (cause) {
    throw refuse(cause);
  }
}

/** Listens for the guest's connections to `port`. */
export async function listenForGuest(
  socketPath: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer({ pauseOnConnect: true }, onConnection);
  server.listen(hostPortPath(socketPath, port));
  await once(server, "listening");
  return server;
}
