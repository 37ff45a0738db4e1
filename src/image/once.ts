// Builds a thing of the store once, whoever asks for it at the same time, and tells how that goes.
import { join } from "node:path";
import type { Step } from "../progress.ts";
import type { BuildContext } from "./context.ts";
import { withLock } from "./lock.ts";
import { storeDirectory } from "./store.ts";

export interface Work<T> {
  /** A file name, unique among what is built: `runtime`, `image-foot`. */
  readonly name: string;
  /** For the user: "the runtime". */
  readonly what: string;
  /** The stored one where it is current. */
  find(): Promise<T | undefined>;
  build(): Promise<T>;
}

/** What is stored, else what is built; a second builder waits and then finds it. With `context.update` it is built in any case. */
export async function ensureOnce<T>(context: BuildContext, work: Work<T>): Promise<T> {
  const find = async () => (context.update ? undefined : await work.find());
  const found = await find();
  if (found !== undefined) return found;
  const locks = await storeDirectory(context.store, "locks");
  const { signal } = context;
  let waiting: Step | undefined;
  const onWait = () => {
    waiting = context.progress.step(`Waiting for another build of ${work.what}`);
  };
  return await withLock(join(locks, work.name), { signal, onWait }, async () => {
    waiting?.done();
    // Blobs are stored before the document that names them: until then nobody may collect them.
    return await withLock(join(locks, storeLock), { signal, shared: true }, async () => {
      return (await find()) ?? (await work.build());
    });
  });
}

/** Held shared by whoever adds to the store, exclusively by whoever collects what nothing refers to. */
export const storeLock = "store";

/** Runs `work` as one step of the progress. */
export async function asStep<T>(
  context: BuildContext,
  title: string,
  expectedSeconds: number,
  work: (step: Step) => Promise<{ readonly value: T; readonly detail: string }>,
): Promise<T> {
  const step = context.progress.step(title, expectedSeconds);
  try {
    const { value, detail } = await work(step);
    step.done(detail);
    return value;
  } catch (error) {
    step.fail();
    throw error;
  }
}
