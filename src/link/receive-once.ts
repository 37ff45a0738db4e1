// Waits for one message on a Unix stream socket, with a deadline.
import * as fdpass from "../../native/fdpass/index.ts";
import { ClocheError } from "../errors.ts";

export interface ReceiveLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxFds: number;
}

/**
 * The first bytes that arrive, with the descriptors that came with them (the caller's to close).
 * Meant for messages far smaller than a socket's buffer, which arrive in one piece.
 * @throws `protocol` when the other side says nothing in time, hangs up, or sends more descriptors than it may
 */
export async function receiveOnce(
  fd: number,
  limits: ReceiveLimits,
): Promise<{ bytes: Buffer; fds: readonly number[] }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ bytes: Buffer; fds: readonly number[] }>();
  const timer = setTimeout(() => reject(new ClocheError("protocol", "the other side said nothing")), limits.timeoutMs);
  const stop = fdpass.watchReadable(fd, () => {
    try {
      const message = fdpass.receive(fd, limits.maxBytes, limits.maxFds);
      if (message === undefined) return;
      stop();
      if (message.bytes.length === 0) reject(new ClocheError("protocol", "the other side hung up"));
      else resolve(message);
    } catch (cause) {
      stop();
      reject(new ClocheError("protocol", "the message could not be received", { cause }));
    }
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}
