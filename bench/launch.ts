// Cold launch through `cloche run`, from the process's start, against the same monitor command line started bare.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findApp } from "../src/app/catalogue.ts";
import { parseInstanceName } from "../src/app/instance-name.ts";
import { type LaunchRequest, prepareLaunch } from "../src/instance/request.ts";
import type { StageTime } from "../src/instance/timing.ts";
import { packagePath } from "../src/paths.ts";
import { silentProgress } from "../src/progress.ts";
import { timeBareMonitor } from "./bare-monitor.ts";
import type { Bench, Pair } from "./bench.ts";
import { median } from "./figures.ts";
import { takePairs } from "./pairs.ts";

export const bench: Bench = async (say, { monitor, pairs }) => {
  const directory = await mkdtemp(join(tmpdir(), "cloche-bench-"));
  process.env.XDG_RUNTIME_DIR = directory;
  process.env.XDG_STATE_HOME = join(directory, "state");
  try {
    const prepared = await prepareLaunch(await makeRequest(monitor), silentProgress, new AbortController().signal);
    const bare = () => timeBareMonitor(prepared, join(directory, "bare"));
    say("warming up");
    await bare();
    await timeCloche(monitor);
    const stages: StageTime[][] = [];
    const ours = async () => {
      const { ms, timings } = await timeCloche(monitor);
      stages.push(timings);
      return ms;
    };
    const samples = await takePairs(pairs, ours, bare, ({ ours: cloche, reference }, index) =>
      say(`${index + 1}/${pairs}: cloche ${cloche.toFixed(0)} ms, bare ${reference.toFixed(0)} ms`),
    );
    return {
      notes: [prepared.selection.reason, ...stageTable(samples, stages)],
      figures: [{ name: "launch-to-agent-ready", unit: "ms", pairs: samples, atMost: 1.1 }],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

async function makeRequest(monitor: string): Promise<LaunchRequest> {
  return {
    name: parseInstanceName("foot@bench"),
    manifest: await findApp("foot"),
    isTemporary: true,
    monitor,
    shares: [],
    network: "none",
    cpus: undefined,
    memoryMib: undefined,
    hasWindows: false,
    clipboard: "none",
  };
}

/** Milliseconds from the start of the command's process to its word that the instance is ready. */
async function timeCloche(monitor: string): Promise<{ ms: number; timings: StageTime[] }> {
  const argv = ["run", "foot@bench", "--temp", "--no-windows", "--json", "--vmm", monitor, "--command", "true"];
  const start = performance.now();
  const child = spawn(packagePath("bin", "cloche"), argv, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line]: string[] = await once(lines, "line");
  const ms = performance.now() - start;
  const event: { event?: string; timings?: StageTime[] } = JSON.parse(line ?? "{}");
  await once(child, "exit");
  if (event.event !== "ready") throw new Error(`cloche run failed: ${line}`);
  return { ms, timings: event.timings ?? [] };
}

function stageTable(samples: readonly Pair[], stages: readonly StageTime[][]): string[] {
  const names = stages[0]?.map(({ stage }) => stage) ?? [];
  const of = (name: string) => median(stages.map((run) => run.find(({ stage }) => stage === name)?.ms ?? 0));
  const named = names.map((name) => ({ name, ms: of(name) }));
  const total = median(samples.map(({ ours }) => ours));
  const rest = total - named.reduce((sum, { ms }) => sum + ms, 0);
  return [{ name: "command start", ms: rest }, ...named, { name: "total", ms: total }].map(
    ({ name, ms }) => `${name.padEnd(14)} ${ms.toFixed(0).padStart(6)} ms`,
  );
}
