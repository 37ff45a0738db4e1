// What Cloche needs of Linux and Node does not offer: the KVM probe, pidfds, file locks, process start times, confined paths.
// Errors are Errors with `code`, the errno's name ("ESRCH"). Descriptors are the caller's to close.
import { watchReadable } from "../fdpass/index.ts";
import { loadAddon } from "../load-addon.ts";

export interface KvmProbe {
  readonly usable: boolean;
  /** One clause for the user, without a full stop. */
  readonly reason: string;
}

/** `path` names a file only (O_PATH); `read` and `write` open it, and wait for nobody. */
export type Access = "path" | "read" | "write";

interface Addon {
  probeKvm(device: string, deadlineMs: number): Promise<KvmProbe>;
  openPidfd(pid: number): number;
  pidfdAlive(fd: number): boolean;
  signalPidfd(fd: number, signal: number): boolean;
  processStartTime(pid: number): bigint | null;
  tryLockFile(path: string): number | null;
  waitLockFile(path: string): Promise<number>;
  openBeneath(directory: string, path: string, access: Access): number;
}

const addon = () => loadAddon<Addon>("bindings");

/**
 * Whether the device runs guest code, found by running six million instructions in a child process.
 * Settles soon after the deadline at the latest, whatever the device does.
 */
export const probeKvm = (device: string, deadlineMs: number): Promise<KvmProbe> => addon().probeKvm(device, deadlineMs);

/** A descriptor for the process, closed on exec. `ESRCH` where there is none. */
export const openPidfd = (pid: number): number => addon().openPidfd(pid);

/** Whether the process has not ended yet; a zombie has. */
export const pidfdAlive = (fd: number): boolean => addon().pidfdAlive(fd);

/** Sends a signal by its number (`os.constants.signals`). False where the process has been reaped already. */
export const signalPidfd = (fd: number, signal: number): boolean => addon().signalPidfd(fd, signal);

/** Resolves when the process has ended; rejects with the signal's reason when that aborts first. */
export function waitPidfd(fd: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const settle = (act: () => void) => {
      stop();
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = () => settle(() => reject(signal?.reason));
    const stop = watchReadable(fd, () => settle(resolve));
    signal?.addEventListener("abort", onAbort);
  });
}

/** When the process started, in clock ticks since boot, or null where there is none: with its id, that names it for good. */
export const processStartTime = (pid: number): bigint | null => addon().processStartTime(pid);

/**
 * Locks a file, made where there is none (mode 0600), and gives the descriptor that holds the lock: closing it releases.
 * While another holds the lock: null, or, with `wait`, pending until it is free. A wait cannot be called off.
 */
export async function lockFile(path: string, wait: true): Promise<number>;
export async function lockFile(path: string, wait: boolean): Promise<number | null>;
export async function lockFile(path: string, wait: boolean): Promise<number | null> {
  return addon().tryLockFile(path) ?? (wait ? addon().waitLockFile(path) : null);
}

/**
 * A descriptor for `path` in `directory`, whatever others put there: neither links nor `..` lead out of it (`EXDEV`, `ELOOP`).
 * An empty path is the directory itself.
 */
export const openBeneath = (directory: string, path: string, access: Access): number =>
  addon().openBeneath(directory, path, access);
