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

const pairs = 15;

export const bench: Bench = async (say) => {
  const directory = await mkdtemp(join(tmpdir(), "cloche-bench-"));
  process.env.XDG_RUNTIME_DIR = directory;
  process.env.XDG_STATE_HOME = join(directory, "state");
  try {
    const prepared = await prepareLaunch(await makeRequest(), silentProgress, new AbortController().signal);
    const bare = () => timeBareMonitor(prepared, join(directory, "bare"));
    say("warming up");
    await bare();
    await timeCloche();
    const samples: Pair[] = [];
    const stages: StageTime[][] = [];
    for (let index = 0; index < pairs; index++) {
      // In turns, and each side as often first as second.
      const before = index % 2 === 0 ? await bare() : undefined;
      const { ms, timings } = await timeCloche();
      const reference = before ?? (await bare());
      samples.push({ ours: ms, reference });
      stages.push(timings);
      say(`${index + 1}/${pairs}: cloche ${ms.toFixed(0)} ms, bare ${reference.toFixed(0)} ms`);
    }
    return {
      notes: [prepared.selection.reason, ...stageTable(samples, stages)],
      figures: [{ name: "launch-to-agent-ready", unit: "ms", pairs: samples, atMost: 1.1 }],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

async function makeRequest(): Promise<LaunchRequest> {
  return {
    name: parseInstanceName("foot@bench"),
    manifest: await findApp("foot"),
    isTemporary: true,
    monitor: "auto",
    shares: [],
    network: "none",
    cpus: undefined,
    memoryMib: undefined,
    hasWindows: false,
    clipboard: "none",
  };
}

/** Milliseconds from the start of the command's process to its word that the instance is ready. */
async function timeCloche(): Promise<{ ms: number; timings: StageTime[] }> {
  const argv = ["run", "foot@bench", "--temp", "--no-windows", "--json", "--command", "true"];
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
