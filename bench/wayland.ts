// Windows: round trips against the compositor itself, frames against waypipe over the same link, and our device against crosvm's.
import type { Bench, BenchResult } from "./bench.ts";
import { compareWithCrosvm } from "./wayland/against-crosvm.ts";
import { compareWithWaypipe } from "./wayland/against-waypipe.ts";
import { startBenchDesktop } from "./wayland/desktop.ts";
import { addManifest, prepareImage } from "./wayland/image.ts";
import { startInstance } from "./wayland/instance.ts";
import { compareRoundTrips } from "./wayland/round-trip.ts";

/** Shares of the window that are damaged in each frame, in per cent. */
const percents = [5, 100];
/** Round trips ÷ direct, with KVM; without it, the figure is only said. */
const syncAim = 3;

export const bench: Bench = async (say, { monitor, pairs }) => {
  const app = await prepareImage();
  await using desktop = await startBenchDesktop(say);
  // An instance's directory is found by it.
  process.env.XDG_RUNTIME_DIR = desktop.environment.XDG_RUNTIME_DIR;
  await addManifest(app, desktop.user);
  await using instance = await startInstance(desktop, app, "bench", monitor);
  const atMost = instance.accelerator.startsWith("KVM") ? syncAim : undefined;
  const sides = { ours: instance.side("cloche"), reference: desktop.direct };
  const roundTrips = await compareRoundTrips({ name: "wayland-sync", pairs, ...sides, atMost }, say);
  const waypipe = await compareWithWaypipe(desktop, instance, percents, pairs, say);
  const crosvm = await compareWithCrosvm(desktop, instance, app, percents, pairs, say);
  return join([{ notes: [instance.reason], figures: [roundTrips] }, waypipe, crosvm]);
};

const join = (results: readonly BenchResult[]): BenchResult => ({
  notes: results.flatMap(({ notes }) => notes),
  figures: results.flatMap(({ figures }) => figures),
});
