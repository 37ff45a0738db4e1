// What frames cost the host: CPU time of the whole instance and of the compositor, without what they use at rest.
import { difference, readUsage, scale, total, type Usage } from "./cpu-time.ts";
import { size } from "./desktop.ts";
import type { FramesResult } from "./load-client.ts";
import { runLoad, type Side, type Watch } from "./side.ts";

/** Seconds that the frames of one sample are to take. */
const sampleSeconds = 3;
const fewestFrames = 10;
const mostFrames = 180;
const restMs = 5_000;

export interface Payers {
  /** The roots of the process trees that are counted. */
  readonly pids: readonly number[];
  /** CPU seconds that they use in one second at rest. */
  readonly idle: Usage;
}

export interface FrameCost {
  readonly result: FramesResult;
  /** CPU seconds per 1,000 frames, by program. */
  readonly perThousand: Usage;
  readonly secondsPerThousand: number;
}

export async function measureIdle(pids: readonly number[]): Promise<Usage> {
  const before = readUsage(pids);
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const seconds = (performance.now() - start) / 1_000;
  return scale(difference(before, readUsage(pids)), 1 / seconds);
}

export async function costOfFrames(
  side: Side,
  payers: Payers,
  frames: number,
  percent: number,
  watch: Watch = {},
): Promise<FrameCost> {
  let before: Usage = new Map();
  let after: Usage = new Map();
  const args = ["frames", frames, size.width, size.height, percent].map(String);
  const result = await runLoad<FramesResult>(side, args, {
    begin() {
      watch.begin?.();
      before = readUsage(payers.pids);
    },
    end() {
      after = readUsage(payers.pids);
      watch.end?.();
    },
  });
  const atRest = scale(payers.idle, result.seconds);
  const perThousand = scale(difference(atRest, difference(before, after)), 1_000 / frames);
  return { result, perThousand, secondsPerThousand: total(perThousand) };
}

/** How many frames a sample of that side has, by how fast it is. */
export async function countFrames(side: Side, percent: number): Promise<number> {
  const args = ["frames", 10, size.width, size.height, percent].map(String);
  const { frames, seconds } = await runLoad<FramesResult>(side, args);
  return Math.max(fewestFrames, Math.min(mostFrames, Math.round((sampleSeconds * frames) / seconds)));
}
