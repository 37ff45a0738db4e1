// npm run bench -- NAME [--vmm MONITOR] [--pairs N] [--json FILE]: runs one bench.
// Its last lines are the figures, each with its aim.

import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { packagePath } from "../src/paths.ts";
import { describeFailure } from "../src/setup/setup-error.ts";
import type { Bench } from "./bench.ts";
import { judge } from "./figures.ts";

const names = () =>
  globSync("*.ts", { cwd: packagePath("bench") })
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((name) => !["run", "bench", "figures", "pairs", "bare-monitor"].includes(name));

async function load(name: string | undefined): Promise<Bench> {
  if (name === undefined || !names().includes(name)) {
    throw new Error(`there is no bench ${name ?? "of no name"}; the benches: ${names().join(", ")}`);
  }
  const { bench } = (await import(packagePath("bench", `${name}.ts`))) as { bench: Bench };
  return bench;
}

try {
  const { values, positionals } = parseArgs({
    options: {
      json: { type: "string" },
      vmm: { type: "string", default: "auto" },
      pairs: { type: "string", default: "15" },
    },
    allowPositionals: true,
  });
  const bench = await load(positionals[0]);
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error("--pairs: a number from 1");
  const result = await bench((line) => console.log(line), { monitor: values.vmm, pairs });
  for (const line of result.notes) console.log(line);
  const verdicts = result.figures.map(judge);
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      `${JSON.stringify({ name: positionals[0], notes: result.notes, figures: verdicts }, null, 2)}\n`,
    );
  }
  for (const { line } of verdicts) console.log(line);
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 1;
}
