// Our device against crosvm's own: the same image in two instances at once, measured in turns.
import { findInstalled } from "../../src/vmm/installed.ts";
import type { BenchResult } from "../bench.ts";
import type { BenchDesktop } from "./desktop.ts";
import { measureIdle } from "./frame-cost.ts";
import { compareFrames, type FrameSide } from "./frames.ts";
import { type BenchInstance, startInstance } from "./instance.ts";
import { compareRoundTrips } from "./round-trip.ts";

const aim = 1.1;

/** @param own an instance on a monitor that has our device */
export async function compareWithCrosvm(
  desktop: BenchDesktop,
  own: BenchInstance,
  app: string,
  percents: readonly number[],
  pairs: number,
  say: (line: string) => void,
): Promise<BenchResult> {
  const reason = await whyNot(own);
  if (reason !== undefined) return { figures: [], notes: [`our device against crosvm's: skipped, ${reason}`] };
  await using crosvm = await startInstance(desktop, app, "crosvm", "crosvm");
  const frameSide = async (instance: BenchInstance): Promise<FrameSide> => {
    const pids = [instance.supervisorPid, desktop.compositorPid];
    return { side: instance.side(instance.monitor), payers: { pids, idle: await measureIdle(pids) } };
  };
  const [ours, reference] = [await frameSide(own), await frameSide(crosvm)];
  const roundTrip = { pairs, ours: ours.side, reference: reference.side, atMost: aim };
  const figures = [await compareRoundTrips({ name: "wayland-crosvm-sync", ...roundTrip }, say)];
  const notes: string[] = [];
  for (const percent of percents) {
    const frames = { name: `wayland-crosvm-cpu-${percent}`, percent, pairs, ours, reference, atMost: aim };
    const compared = await compareFrames(frames, say);
    figures.push(compared.figure);
    notes.push(...compared.notes);
  }
  return { figures, notes };
}

async function whyNot({ accelerator, monitor }: BenchInstance): Promise<string | undefined> {
  if (!accelerator.startsWith("KVM")) return "crosvm needs KVM";
  const crosvm = await findInstalled("crosvm");
  if (!crosvm.usable) return `crosvm: ${crosvm.reason}`;
  return monitor === "crosvm" ? "both would be crosvm's: name another monitor by --vmm" : undefined;
}
