// npm run bench -- portals: a call through front end and broker against the same call on the host's own bus, without a machine.
import { Bus } from "../portals/bus.ts";
import { startWorld } from "../test/portals/support/world.ts";
import type { Bench } from "./bench.ts";
import { takePairs } from "./pairs.ts";

/** Calls of one sample; a sample is their median. */
const calls = 101;
const portal = { destination: "org.freedesktop.portal.Desktop", path: "/org/freedesktop/portal/desktop" };

/** The broker knows the answer to the first, and asks the host for the second. */
const measured = [
  {
    name: "portals-settings-read",
    atMost: 2.5,
    call: {
      ...portal,
      interface: "org.freedesktop.portal.Settings",
      member: "Read",
      signature: "ss",
      body: ["org.freedesktop.appearance", "color-scheme"],
    },
  },
  {
    name: "portals-forwarded",
    atMost: undefined,
    call: { ...portal, interface: "org.freedesktop.portal.NetworkMonitor", member: "GetStatus" },
  },
] as const;

export const bench: Bench = async (say, { pairs: count }) => {
  await using world = await startWorld();
  using program = await world.startProgram();
  using direct = await Bus.connect(world.host.address);
  const figures = [];
  for (const { name, atMost, call } of measured) {
    const timeOn = (bus: Bus) => medianMs(() => bus.call(call));
    await timeOn(program.bus);
    await timeOn(direct);
    const pairs = await takePairs(
      count,
      () => timeOn(program.bus),
      () => timeOn(direct),
      ({ ours, reference }, index) =>
        say(`${name} ${index + 1}/${count}: ${ours.toFixed(3)} ms, direct ${reference.toFixed(3)} ms`),
    );
    figures.push({ name, unit: "ms", pairs, atMost });
  }
  return { notes: ["The back end of the host's portal is one of the tests' own."], figures };
};

async function medianMs(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return times.toSorted((one, other) => one - other)[calls >> 1] ?? 0;
}
