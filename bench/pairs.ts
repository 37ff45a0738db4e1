// The order in which two sides are measured.
import type { Pair } from "./bench.ts";

/** Takes `count` pairs: the two sides in turns, each as often first as second. */
export async function takePairs(
  count: number,
  ours: () => Promise<number>,
  reference: () => Promise<number>,
  onPair: (pair: Pair, index: number) => void = () => {},
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    const before = index % 2 === 0 ? await reference() : undefined;
    const pair = { ours: await ours(), reference: before ?? (await reference()) };
    pairs.push(pair);
    onPair(pair, index);
  }
  return pairs;
}
