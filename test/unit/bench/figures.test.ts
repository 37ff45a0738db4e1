import test from "ava";
import type { Figure } from "../../../bench/bench.ts";
import { confidenceInterval, judge, median } from "../../../bench/figures.ts";

const figure = (ratios: number[], atMost: number): Figure => ({
  name: "launch",
  unit: "ms",
  atMost,
  pairs: ratios.map((ratio) => ({ ours: ratio * 100, reference: 100 })),
});

test("the figure is the median of the paired ratios", (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 2, 3]), 2.5);
  t.is(judge(figure([1, 1.2, 9], 1.3)).ratio, 1.2);
});

test("the interval encloses the median and is the same each time", (t) => {
  const ratios = Array.from({ length: 15 }, (_, index) => 1 + index / 100);
  const [low, high] = confidenceInterval(ratios);
  t.true(low <= median(ratios) && median(ratios) <= high && low < high);
  t.deepEqual(confidenceInterval(ratios), [low, high]);
});

test("a missed aim is said", (t) => {
  t.regex(judge(figure([1.05], 1.1)).line, /^launch ratio=1\.050 .*\(aim ≤ 1\.10\)$/);
  t.regex(judge(figure([1.5], 1.1)).line, / missed$/);
});

test("a figure without an aim is only said", (t) => {
  const { line, isMissed } = judge({ ...figure([9], 1), atMost: undefined });
  t.false(isMissed);
  t.regex(line, /\(no aim\)$/);
});
