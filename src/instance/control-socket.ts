// The supervisor's socket: other commands of the same user stop the instance, and open sessions in its guest.
import { join } from "node:path";
import * as fdpass from "../../native/fdpass/index.ts";
import { scaled } from "../deadlines.ts";
import { ClocheError, messageOf } from "../errors.ts";
import { receiveOnce } from "../link/receive-once.ts";
import { schemaCheck } from "../schema.ts";
import { instancePath } from "./directory.ts";

/** One request a connection; one answer, and with `open-session` a descriptor: the stream to the guest's exec port. */
export type ControlRequest = { readonly type: "open-session" } | { readonly type: "stop"; readonly graceMs: number };

interface ControlAnswer {
  readonly error?: { readonly code: string; readonly message: string };
}

const maxRequestBytes = 4096;
const requestTimeoutMs = scaled(5_000);
const answerTimeoutMs = scaled(10_000);

const requestCheck = schemaCheck<ControlRequest>({
  oneOf: [
    {
      type: "object",
      required: ["type"],
      additionalProperties: false,
      properties: { type: { const: "open-session" } },
    },
    {
      type: "object",
      required: ["type", "graceMs"],
      additionalProperties: false,
      properties: { type: { const: "stop" }, graceMs: { type: "integer", minimum: 0, maximum: 600_000 } },
    },
  ],
});

const socketPath = (id: string): string => join(instancePath(id), "control");

export interface ControlHandlers {
  /** Returns a descriptor that is connected to the guest's exec port; it is closed once it has been passed on. */
  openSession(): Promise<number>;
  stop(graceMs: number): void;
}

/** Serves until the returned function is called. */
export function serveControl(id: string, handlers: ControlHandlers): () => void {
  const listener = fdpass.listenUnix(socketPath(id));
  const stopWatching = fdpass.watchReadable(listener, () => {
    for (let fd = fdpass.accept(listener); fd !== undefined; fd = fdpass.accept(listener)) void serve(fd, handlers);
  });
  return () => {
    stopWatching();
    fdpass.close(listener);
  };
}

/** Sends one request to a running instance; resolves with the descriptor that came with the answer, if any. */
export async function askInstance(id: string, request: ControlRequest): Promise<number | undefined> {
  const gone = (cause: unknown) => new ClocheError("unknown-instance", `${id} does not answer`, { cause });
  const connection = connectTo(id, gone);
  try {
    fdpass.send(connection, Buffer.from(`${JSON.stringify(request)}\n`), []);
    const { bytes, fds } = await receiveOnce(connection, {
      timeoutMs: answerTimeoutMs,
      maxBytes: maxRequestBytes,
      maxFds: 1,
    });
    const answer: ControlAnswer = JSON.parse(bytes.toString("utf8"));
    if (answer.error) throw new ClocheError("agent-failed", answer.error.message);
    return fds[0];
  } catch (cause) {
    throw cause instanceof ClocheError ? cause : gone(cause);
  } finally {
    fdpass.close(connection);
  }
}

function connectTo(id: string, gone: (cause: unknown) => ClocheError): number {
  try {
    return fdpass.connectUnix(socketPath(id));
  } catch (cause) {
    throw gone(cause);
  }
}

async function serve(connection: number, handlers: ControlHandlers): Promise<void> {
  try {
    if (fdpass.peerCredentials(connection).uid !== process.getuid?.()) return;
    const { bytes } = await receiveOnce(connection, {
      timeoutMs: requestTimeoutMs,
      maxBytes: maxRequestBytes,
      maxFds: 0,
    });
    const request: unknown = JSON.parse(bytes.toString("utf8"));
    if (!requestCheck.isValid(request))
      throw new ClocheError("protocol", "the request is not one that an instance takes");
    const passed = request.type === "open-session" ? [await handlers.openSession()] : [];
    if (request.type === "stop") handlers.stop(request.graceMs);
    reply(connection, {}, passed);
    for (const fd of passed) fdpass.close(fd);
  } catch (error) {
    reply(
      connection,
      { error: { code: error instanceof ClocheError ? error.code : "protocol", message: messageOf(error) } },
      [],
    );
  } finally {
    fdpass.close(connection);
  }
}

function reply(connection: number, answer: ControlAnswer, fds: number[]): void {
  try {
    fdpass.send(connection, Buffer.from(JSON.stringify(answer)), fds);
  } catch {
    // Whoever asked has gone.
  }
}
