// Waiting for what other processes do.

/** Resolves once it is so. Throws after so many milliseconds. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 5_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error("it did not come to be so");
    await later(20, undefined);
  }
}

export const later = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), ms));
