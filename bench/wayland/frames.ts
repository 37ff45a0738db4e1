// The cost of frames on two sides, in turns.
import type { Figure } from "../bench.ts";
import { median } from "../figures.ts";
import { takePairs } from "../pairs.ts";
import type { Usage } from "./cpu-time.ts";
import { costOfFrames, countFrames, type FrameCost, type Payers } from "./frame-cost.ts";
import type { Side, Watch } from "./side.ts";

/** CPU seconds per 1,000 frames below which a program is not worth a word. */
const worthNaming = 0.05;

export interface FrameSide {
  readonly side: Side;
  readonly payers: Payers;
  readonly watch?: Watch;
  /** Called after each of its runs. */
  readonly onCost?: (cost: FrameCost) => Promise<void>;
}

export interface FrameComparison {
  readonly name: string;
  readonly percent: number;
  readonly pairs: number;
  readonly ours: FrameSide;
  readonly reference: FrameSide;
  readonly atMost: number | undefined;
}

export interface ComparedFrames {
  readonly figure: Figure;
  readonly notes: readonly string[];
}

export async function compareFrames(
  { name, percent, pairs: count, ours, reference, atMost }: FrameComparison,
  say: (line: string) => void,
): Promise<ComparedFrames> {
  const frames = {
    ours: await countFrames(ours.side, percent),
    reference: await countFrames(reference.side, percent),
  };
  const costs = { ours: [] as FrameCost[], reference: [] as FrameCost[] };
  const measure = async (which: "ours" | "reference", { side, payers, watch, onCost }: FrameSide) => {
    const cost = await costOfFrames(side, payers, frames[which], percent, watch);
    costs[which].push(cost);
    await onCost?.(cost);
    return cost.secondsPerThousand;
  };
  const pairs = await takePairs(
    count,
    () => measure("ours", ours),
    () => measure("reference", reference),
    (pair, index) => {
      const tell = (which: "ours" | "reference", { side }: FrameSide) =>
        `${side.name} ${pair[which].toFixed(2)} s (${frames[which]} frames)`;
      say(`${name} ${index + 1}/${count}: ${tell("ours", ours)}, ${tell("reference", reference)}`);
    },
  );
  const notes = [describeCosts(name, ours.side, costs.ours), describeCosts(name, reference.side, costs.reference)];
  return { figure: { name, unit: "CPU seconds per 1,000 frames", pairs, atMost }, notes };
}

function describeCosts(name: string, side: Side, costs: readonly FrameCost[]): string {
  const results = costs.map(({ result }) => result);
  const perSecond = median(results.map(({ frames, seconds }) => frames / seconds));
  const own = median(results.map(({ frames, cpuSeconds }) => (1_000 * cpuSeconds) / frames));
  const programs = [...medianUsage(costs.map(({ perThousand }) => perThousand))]
    .filter(([, seconds]) => seconds >= worthNaming)
    .sort(([, a], [, b]) => b - a)
    .map(([program, seconds]) => `${program} ${seconds.toFixed(2)}`);
  const all = median(costs.map(({ secondsPerThousand }) => secondsPerThousand)).toFixed(2);
  return `${name}, ${side.name}: ${perSecond.toFixed(1)} frames/s; CPU s per 1,000 frames: ${all} (${programs.join(", ")}); in the guest the client itself ${own.toFixed(2)}`;
}

function medianUsage(usages: readonly Usage[]): Usage {
  const names = new Set(usages.flatMap((usage) => [...usage.keys()]));
  return new Map([...names].map((name) => [name, median(usages.map((usage) => usage.get(name) ?? 0))]));
}
