// What a bench is: it measures two sides in turns and returns the raw samples.

/** One pair of samples, taken one after the other in either order; one unit for both, usually milliseconds. */
export interface Pair {
  readonly ours: number;
  readonly reference: number;
}

export interface Figure {
  /** The name in `NAME ratio=…`. */
  readonly name: string;
  readonly unit: string;
  /** The first pairs are not warm-up: what is here counts. */
  readonly pairs: readonly Pair[];
  /** What the median of ours/reference is to be at most; undefined where the figure is only said. */
  readonly atMost: number | undefined;
}

export interface BenchResult {
  /** Lines for the reader, such as a table of stages. */
  readonly notes: readonly string[];
  readonly figures: readonly Figure[];
}

export interface BenchOptions {
  /** `auto` or a monitor's name, as for `cloche run --vmm`. */
  readonly monitor: string;
  /** Pairs of each figure. Fewer than 15 are only for trying. */
  readonly pairs: number;
}

export type Bench = (say: (line: string) => void, options: BenchOptions) => Promise<BenchResult>;
