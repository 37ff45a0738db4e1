// From raw pairs to a figure: the median of the paired ratios and its 95 % bootstrap confidence interval.
import type { Figure, Pair } from "./bench.ts";

const resamples = 10_000;

export interface Verdict extends Figure {
  readonly ratio: number;
  readonly interval: readonly [number, number];
  readonly isMissed: boolean;
  /** `NAME ratio=… (aim …)`, with `missed` behind it where the aim is missed; `(no aim)` where there is none. */
  readonly line: string;
}

export function judge(figure: Figure): Verdict {
  const ratios = figure.pairs.map(({ ours, reference }: Pair) => ours / reference);
  const ratio = median(ratios);
  const interval = confidenceInterval(ratios);
  const { atMost } = figure;
  const isMissed = atMost !== undefined && !(ratio <= atMost);
  const [low, high] = interval.map((value) => value.toFixed(3));
  const middle = `ratio=${ratio.toFixed(3)} [${low}, ${high}] n=${ratios.length}`;
  const aim = atMost === undefined ? "no aim" : `aim ≤ ${atMost.toFixed(2)}`;
  const line = `${figure.name} ${middle} (${aim})${isMissed ? " missed" : ""}`;
  return { ...figure, ratio, interval, isMissed, line };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The percentile bootstrap of the median, with a fixed seed: the same samples give the same interval. */
export function confidenceInterval(values: readonly number[]): [number, number] {
  const random = xorshift(0x9e3779b9);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  ).sort((a, b) => a - b);
  const at = (share: number) => medians[Math.floor(share * (resamples - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}

/** xorshift32; numbers from 0 to below 1. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
