// Unix stream sockets that carry file descriptors. All are nonblocking and closed on exec.
// Errors are Errors with `code` ("ECONNREFUSED") and `syscall` ("connect"). Descriptors are the caller's to close.
import { loadAddon } from "../load-addon.ts";

export interface Message {
  /** Empty at the end of the stream. */
  readonly bytes: Buffer;
  /** Descriptors that came with these bytes, closed on exec. */
  readonly fds: readonly number[];
}

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

interface Addon {
  socketpair(): [number, number];
  listenUnix(path: string): number;
  connectUnix(path: string): number;
  accept(listener: number): number | undefined;
  send(socket: number, bytes: Uint8Array, fds: readonly number[]): number | undefined;
  receive(socket: number, maxBytes: number, maxFds: number): Message | undefined;
  watchReadable(fd: number, callback: () => void): () => void;
  watchWritable(fd: number, callback: () => void): () => void;
  peerCredentials(socket: number): Credentials;
  close(fd: number): void;
}

const addon = () => loadAddon<Addon>("fdpass");

/** Two sockets, each the other's peer. */
export const socketpair = (): [number, number] => addon().socketpair();

/**
 * Listens on a path of at most 107 bytes; the file has mode 0600 from its first moment.
 * `EADDRINUSE` where the path exists, be it stale or not; closing the socket leaves the file.
 */
export const listenUnix = (path: string): number => addon().listenUnix(path);

/** `ECONNREFUSED` where nobody listens, `EAGAIN` where the listener's queue is full. */
export const connectUnix = (path: string): number => addon().connectUnix(path);

/** The next connection, or undefined where none waits. */
export const accept = (listener: number): number | undefined => addon().accept(listener);

/**
 * Sends bytes, with at most 253 descriptors beside the first of them (a duplicate each; the caller's stay open).
 * Gives the number of bytes that were taken, which may be fewer, or undefined where the socket would block.
 * After a partial send the descriptors are on their way: send the rest without. `EINVAL`: descriptors but no byte.
 */
export const send = (socket: number, bytes: Uint8Array, fds: readonly number[]): number | undefined =>
  addon().send(socket, bytes, fds);

/**
 * Receives up to `maxBytes` (1 to 16 MiB) and `maxFds` (0 to 253), or undefined where nothing waits.
 * Where more descriptors come than `maxFds`, all of them are closed, the bytes are lost, and `EMSGSIZE` is thrown.
 */
export const receive = (socket: number, maxBytes: number, maxFds: number): Message | undefined =>
  addon().receive(socket, maxBytes, maxFds);

/**
 * Calls back for as long as the descriptor is readable, at its end or broken; the function returned ends the watch.
 * The watch keeps the process running, and holds a duplicate: the file stays open until the watch ends.
 */
export const watchReadable = (fd: number, callback: () => void): (() => void) => addon().watchReadable(fd, callback);

/** Like `watchReadable`, for as long as `send` would take at least a byte. */
export const watchWritable = (fd: number, callback: () => void): (() => void) => addon().watchWritable(fd, callback);

/** Who had the other end when it connected, or made the pair. */
export const peerCredentials = (socket: number): Credentials => addon().peerCredentials(socket);

/** `EBADF` where it is closed already. */
export const close = (fd: number): void => addon().close(fd);
