// A wait on a monitor, with an end.
import { ClocheError } from "../errors.ts";

/** Throws `monitor-failed`, with `message` as its words, where `promise` is not settled in time. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, message: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new ClocheError("monitor-failed", message())), timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
