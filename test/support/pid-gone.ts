// Waiting for a process that is not a child of ours.
import * as bindings from "../../native/bindings/index.ts";
import * as fdpass from "../../native/fdpass/index.ts";

/** Whether the process ends within the deadline; one that is not there has ended. */
export async function pidGone(pid: number, deadlineMs: number): Promise<boolean> {
  let descriptor: number;
  try {
    descriptor = bindings.openPidfd(pid);
  } catch {
    return true;
  }
  try {
    await bindings.waitPidfd(descriptor, AbortSignal.timeout(deadlineMs));
    return true;
  } catch {
    return false;
  } finally {
    fdpass.close(descriptor);
  }
}
