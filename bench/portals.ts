// npm run bench -- portals: a call through front end and broker against the same call on the host's own bus, without and with a machine.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Bus } from "../portals/bus.ts";
import { packagePath } from "../src/paths.ts";
import { startWorld, type World } from "../test/portals/support/world.ts";
import { launchGuest, runIn, useFreshDirectories } from "../test/vm/guest.ts";
import type { Bench, BenchOptions, Figure } from "./bench.ts";
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

export const bench: Bench = async (say, options) => {
  const count = options.pairs;
  await using world = await startWorld();
  using program = await world.startProgram();
  using direct = await Bus.connect(world.host.address);
  const figures: Figure[] = [];
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
  figures.push(await withMachine(world, say, options));
  return { notes: ["The back end of the host's portal is one of the tests' own."], figures };
};

/** The same program reads the setting in a guest, and on the host from the host's own portal. */
async function withMachine(world: World, say: (line: string) => void, options: BenchOptions): Promise<Figure> {
  const name = "portals-settings-read-vm";
  const script = await readFile(join(packagePath(), "bench", "settings-read.pl"), "utf8");
  const argv = ["perl", "-e", script, String(calls)];
  process.env.DBUS_SESSION_BUS_ADDRESS = world.host.address;
  const directories = await useFreshDirectories();
  try {
    await using guest = await launchGuest("foot@bench", { monitor: options.monitor });
    const inGuest = async () => {
      const { stdout, stderr } = await runIn(guest, argv);
      if (stdout === "") throw new Error(`in the guest: ${stderr}`);
      return Number(stdout);
    };
    const onHost = async () => Number((await execa("perl", argv.slice(1), { env: world.host.environment })).stdout);
    await inGuest();
    await onHost();
    const pairs = await takePairs(options.pairs, inGuest, onHost, ({ ours, reference }, index) =>
      say(`${name} ${index + 1}/${options.pairs}: ${ours.toFixed(3)} ms, direct ${reference.toFixed(3)} ms`),
    );
    return { name, unit: "ms", pairs, atMost: undefined };
  } finally {
    await directories.remove();
  }
}

async function medianMs(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return times.toSorted((one, other) => one - other)[calls >> 1] ?? 0;
}
