// Round trips of wl_display.sync on two sides.
import type { Figure } from "../bench.ts";
import { takePairs } from "../pairs.ts";
import type { SyncResult } from "./load-client.ts";
import { runLoad, type Side } from "./side.ts";

const roundTrips = 300;

export interface RoundTripComparison {
  readonly name: string;
  readonly pairs: number;
  readonly ours: Side;
  readonly reference: Side;
  readonly atMost: number | undefined;
}

/** The median of many round trips in microseconds. */
export async function measureRoundTrip(side: Side): Promise<number> {
  const { medianNs } = await runLoad<SyncResult>(side, ["sync", String(roundTrips)]);
  return medianNs / 1_000;
}

export async function compareRoundTrips(
  { name, pairs: count, ours, reference, atMost }: RoundTripComparison,
  say: (line: string) => void,
): Promise<Figure> {
  const tell = (us: number) => `${us.toFixed(0)} µs`;
  const pairs = await takePairs(
    count,
    () => measureRoundTrip(ours),
    () => measureRoundTrip(reference),
    (pair, index) =>
      say(`${name} ${index + 1}/${count}: ${ours.name} ${tell(pair.ours)}, ${reference.name} ${tell(pair.reference)}`),
  );
  return { name, unit: "µs", pairs, atMost };
}
