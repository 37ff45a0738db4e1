// npm run bench -- camera: a minute of a camera, 1280×720 at 30 frames a second, from the host's PipeWire to another one that stands for a guest's.
import { readdirSync, readFileSync } from "node:fs";
import { missingForVideo, picture, readFramesFrom } from "../test/portals/support/cameras.ts";
import { startWorld, yes } from "../test/portals/support/world.ts";
import type { Bench, Pair } from "./bench.ts";
import { readUsage, total } from "./wayland/cpu-time.ts";

const seconds = 60;

export const bench: Bench = async (say, { pairs: count }) => {
  const missing = await missingForVideo();
  if (missing !== undefined) throw new Error(missing);
  const pairs: Pair[] = [];
  const notes: string[] = [];
  for (let index = 0; index < count; index++) {
    await using world = await startWorld({ hasVideo: true });
    world.backend.answer = () => yes("once");
    using program = await world.startProgram();
    await program.ask("Camera.AccessCamera", "a{sv}", [{}]);
    const [remote] = await program.call("Camera.OpenPipeWireRemote", "a{sv}", [{}]);
    const frames = seconds * picture.framesPerSecond;
    const ends = endsOfStreams();
    const before = total(readUsage(ends));
    const began = performance.now();
    const node = "target-object=cloche-camera";
    await readFramesFrom(Number(remote), node, world.guest.environment, frames, { isKept: false });
    const elapsed = (performance.now() - began) / 1000;
    const cpu = total(readUsage(ends)) - before;
    const [, shown = "", dropped = ""] = /frames (\d+) dropped (\d+)/.exec(world.said.join("\n")) ?? [];
    pairs.push({ ours: Number(shown), reference: Number(shown) - Number(dropped) });
    const line = `${shown} frames in ${elapsed.toFixed(1)} s, ${dropped} dropped; both ends ${((100 * cpu) / elapsed).toFixed(1)} % of a CPU`;
    say(`camera ${index + 1}/${count}: ${line}`);
    notes.push(line);
  }
  return { notes, figures: [{ name: "camera-shown-per-sent", unit: "frames", pairs, atMost: 1 }] };
};

/** The processes of both ends; the camera of the test itself is another one. */
const endsOfStreams = (): number[] =>
  readdirSync("/proc")
    .filter(
      (entry) => /^\d+$/.test(entry) && /pipewire\0-c\0\/(run\/media|tmp\/.*cloche-media)\.conf/.test(commandOf(entry)),
    )
    .map(Number);

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
