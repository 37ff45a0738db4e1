// How a running application comes to its end: by itself, by a command, by a signal, or with its machine.
import { ClocheError } from "../errors.ts";
import type { LiveInstance } from "../instance/launch.ts";
import type { ExecSession, ExitStatus } from "../link/exec.ts";
import type { Interrupts } from "./interrupts.ts";

export type End =
  | { readonly kind: "exited"; readonly status: ExitStatus }
  | { readonly kind: "stop"; readonly graceMs: number }
  | { readonly kind: "interrupt"; readonly signal: NodeJS.Signals }
  | { readonly kind: "failed"; readonly error: unknown };

/** Milliseconds in which a machine whose link broke tells why. */
const reasonMs = 3_000;

export async function awaitEnd(
  instance: Pick<LiveInstance, "failed" | "stopRequested">,
  session: Pick<ExecSession, "exited">,
  interrupts: Pick<Interrupts, "first" | "received">,
): Promise<End> {
  const failed = (error: unknown): End => ({ kind: "failed", error });
  const end = await Promise.race<End>([
    session.exited.then((status) => ({ kind: "exited", status }), failed),
    instance.failed.catch(failed),
    instance.stopRequested.then((graceMs) => ({ kind: "stop", graceMs })),
    interrupts.first.then((signal) => ({ kind: "interrupt", signal })),
  ]);
  // The signal that interrupts a launch also fails the machine.
  if (interrupts.received !== undefined) return { kind: "interrupt", signal: interrupts.received };
  if (end.kind !== "failed" || isOwn(end.error)) return end;
  const reason = await endWithin(instance.failed.catch(failed), reasonMs);
  return reason ?? end;
}

/** An error of the command itself: the machine is well. */
const isOwn = (error: unknown): boolean => error instanceof ClocheError && error.code === "cannot-execute";

/** What the promise gives within the time; undefined where it rejects or takes longer. */
export async function endWithin<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  try {
    return await Promise.race([promise.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
