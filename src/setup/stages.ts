// The stages of setting up, told as they go, and at the end a table of where the time went.
import type { Progress, Step } from "../progress.ts";

/** Milliseconds between two lines about one stage, where the output is no terminal. */
const lineEveryMs = 5_000;
const spinEveryMs = 120;
const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
/** Stages that were shorter are not worth a row. */
const shortMs = 50;

interface Stage {
  readonly title: string;
  /** 0 for a stage of its own, more for one that is a part of another. */
  readonly depth: number;
  ms: number;
}

export class Stages implements Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #all: Stage[] = [];
  readonly #open: Stage[] = [];

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  /** Time of a stage that this object did not watch. */
  add(title: string, ms: number): void {
    this.#all.push({ title, depth: 0, ms });
  }

  say(line: string): void {
    this.#out.write(`${this.#out.isTTY ? "\r\x1b[K" : ""}${line}\n`);
  }

  /** Runs `work` as one stage. What `work` throws has failed the stage. */
  async run<Result>(
    title: string,
    expectedSeconds: number | undefined,
    work: (step: Step) => Promise<Result>,
  ): Promise<Result> {
    const step = this.step(title, expectedSeconds);
    try {
      const result = await work(step);
      step.done();
      return result;
    } catch (error) {
      step.fail();
      throw error;
    }
  }

  step(title: string, expectedSeconds?: number): Step {
    const started = performance.now();
    const stage: Stage = { title, depth: this.#open.length, ms: 0 };
    this.#all.push(stage);
    this.#open.push(stage);
    const indent = "  ".repeat(stage.depth);
    const about = expectedSeconds !== undefined && expectedSeconds > 2 ? ` of about ${expectedSeconds} s` : "";
    const elapsed = () => seconds(performance.now() - started);
    let text = "";
    const timer = setInterval(
      () => {
        if (this.#open.at(-1) === stage) this.#draw(`${indent}${title}: ${elapsed()}${about}  ${text}`.trimEnd());
      },
      this.#out.isTTY ? spinEveryMs : lineEveryMs,
    );
    const end = (mark: string, detail = "") => {
      if (!this.#open.includes(stage)) return;
      clearInterval(timer);
      this.#open.splice(this.#open.indexOf(stage), 1);
      stage.ms = performance.now() - started;
      this.say(`${mark} ${indent}${title}: ${elapsed()}${detail === "" ? "" : `  ${detail}`}`);
    };
    return {
      update: (detail, fraction) => {
        text = fraction === undefined ? detail : `${Math.floor(fraction * 100)} % ${detail}`;
      },
      done: (detail) => end("✔", detail),
      fail: () => end("✘"),
    };
  }

  /** One row for each stage and its share of the whole; the parts of a stage are indented below it. */
  table(): string {
    const total = this.#all.reduce((sum, { depth, ms }) => sum + (depth === 0 ? ms : 0), 0);
    const rows = this.#all
      .filter(({ ms }) => ms >= shortMs)
      .map((stage) => ({ title: "  ".repeat(stage.depth) + stage.title, ms: stage.ms }));
    const width = Math.max(5, ...rows.map(({ title }) => title.length));
    const row = ({ title, ms }: { title: string; ms: number }) => {
      const share = `${Math.round((100 * ms) / Math.max(total, 1))} %`;
      return `  ${title.padEnd(width)}  ${seconds(ms).padStart(8)}  ${share.padStart(5)}`;
    };
    return ["Where the time went:", ...rows.map(row), row({ title: "total", ms: total })].join("\n");
  }

  #draw(line: string): void {
    const frame = spinner[Math.floor(performance.now() / spinEveryMs) % spinner.length];
    if (!this.#out.isTTY) this.say(`  ${line}`);
    else this.#out.write(`\r\x1b[K${frame} ${line.slice(0, (this.#out.columns ?? 80) - 3)}`);
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
