// Cloche's windows and waypipe's, in turns in the same guest.
import type { BenchResult, Figure, Pair } from "../bench.ts";
import { CopyReports } from "./copy-reports.ts";
import type { BenchDesktop } from "./desktop.ts";
import { type FrameCost, measureIdle } from "./frame-cost.ts";
import { compareFrames, type FrameSide } from "./frames.ts";
import type { BenchInstance } from "./instance.ts";
import { startWaypipe, waypipeDisplay } from "./waypipe.ts";
import { bytesMoved, lookAtMemory, processesBetween, type WindowMemory } from "./window-memory.ts";

const pixelBytes = 4;
const aims = { cpu: 0.5, copied: 1.05, host: 0.01 };

export async function compareWithWaypipe(
  desktop: BenchDesktop,
  instance: BenchInstance,
  percents: readonly number[],
  pairs: number,
  say: (line: string) => void,
): Promise<BenchResult> {
  await using waypipe = await startWaypipe(desktop, instance);
  await using reports = new CopyReports(desktop, instance);
  const pids = [instance.supervisorPid, waypipe.pid, desktop.compositorPid];
  const payers = { pids, idle: await measureIdle(pids) };
  const reference: FrameSide = { side: instance.side("waypipe", waypipeDisplay), payers };
  const figures: Figure[] = [];
  const notes: string[] = [];
  for (const percent of percents) {
    const copies = new CopyWatch(desktop, instance, reports);
    const ours: FrameSide = { side: instance.side("cloche"), payers, watch: copies.watch, onCost: copies.onCost };
    const frames = { name: `wayland-cpu-${percent}`, percent, pairs, ours, reference, atMost: aims.cpu };
    const compared = await compareFrames(frames, say);
    figures.push(compared.figure, ...copies.figures(percent));
    notes.push(...compared.notes, ...copies.notes(percent));
  }
  return { figures, notes };
}

/** Follows the pixels of our own runs: what the guest says that it copied, and what the host did. */
class CopyWatch {
  readonly #between: readonly number[];
  readonly #look: () => WindowMemory;
  readonly #reports: CopyReports;
  readonly #copied: Pair[] = [];
  readonly #moved: Pair[] = [];
  #memory: WindowMemory | undefined;
  #bytes = 0;

  constructor({ compositorPid }: BenchDesktop, { supervisorPid }: BenchInstance, reports: CopyReports) {
    this.#between = processesBetween(supervisorPid);
    this.#look = () => lookAtMemory(supervisorPid, compositorPid);
    this.#reports = reports;
  }

  readonly watch = {
    begin: () => {
      this.#reports.expect();
      this.#bytes = bytesMoved(this.#between);
    },
    end: () => {
      this.#bytes = bytesMoved(this.#between) - this.#bytes;
      this.#memory = this.#look();
    },
  };

  readonly onCost = async ({ result }: FrameCost) => {
    const { bytes } = await this.#reports.take();
    this.#copied.push({ ours: bytes, reference: result.allPixels * pixelBytes });
    this.#moved.push({ ours: this.#bytes, reference: result.frames * result.framePixels * pixelBytes });
  };

  figures(percent: number): Figure[] {
    const copied = { name: `wayland-copied-${percent}`, pairs: this.#copied, atMost: aims.copied };
    const host = { name: `wayland-host-bytes-${percent}`, pairs: this.#moved, atMost: aims.host };
    // A monitor's own device cannot be told from the monitor.
    if (this.#between.length === 0) return [{ ...copied, unit: "bytes" }];
    if (this.#memory?.compositorMaps !== true)
      throw new Error("the compositor has not mapped the device's memory: somebody copies for it");
    return [copied, host].map((figure) => ({ ...figure, unit: "bytes" }));
  }

  notes(percent: number): string[] {
    if (this.#between.length === 0) return [];
    const mappedBy = this.#memory?.mappedBy.join(", ") || "nobody";
    return [
      `wayland-host-bytes-${percent}: the compositor has mapped the device's memory itself; beside it ${mappedBy}`,
    ];
  }
}
