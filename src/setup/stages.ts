// The stages of setting up, told as they go, and at the end a table of where the time went.
import type { Progress, Step } from "../progress.ts";

/** Milliseconds between two lines about one stage, where the output is no terminal. */
const lineEveryMs = 5_000;
const spinEveryMs = 120;
const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

interface Spent {
  readonly title: string;
  readonly ms: number;
}

export class Stages implements Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #spent: Spent[] = [];

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  /** Time of a stage that this object did not watch. */
  add(title: string, ms: number): void {
    if (ms > 0) this.#spent.push({ title, ms });
  }

  say(line: string): void {
    this.#out.write(`${line}\n`);
  }

  /** Runs `work` as one stage. What `work` throws has failed the stage. */
  async run<Result>(title: string, expectedSeconds: number | undefined, work: (step: Step) => Promise<Result>): Promise<Result> {
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
    const elapsedMs = () => performance.now() - started;
    const about = expectedSeconds !== undefined && expectedSeconds > 2 ? ` (about ${expectedSeconds} s)` : "";
    const isTerminal = this.#out.isTTY;
    let text = "";
    let frame = 0;
    let isOver = false;
    const draw = () => {
      const line = `${title}${about}: ${seconds(elapsedMs())}${text === "" ? "" : `  ${text}`}`;
      if (isTerminal) this.#out.write(`\r\x1b[K${spinner[frame++ % spinner.length]} ${line.slice(0, (this.#out.columns ?? 80) - 3)}`);
      else this.say(`  ${line}`);
    };
    const timer = setInterval(draw, isTerminal ? spinEveryMs : lineEveryMs);
    if (!isTerminal && about !== "") this.say(`  ${title}${about}`);
    const end = (mark: string, detail?: string) => {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      if (isTerminal) this.#out.write("\r\x1b[K");
      this.say(`${mark} ${title}: ${seconds(elapsedMs())}${detail === undefined ? "" : `  ${detail}`}`);
      this.#spent.push({ title, ms: elapsedMs() });
    };
    return {
      update: (detail, fraction) => {
        text = fraction === undefined ? detail : `${Math.floor(fraction * 100)} % ${detail}`;
      },
      done: (detail) => end("✔", detail),
      fail: () => end("✘"),
    };
  }

  /** The table, longest stage marked by its share. */
  table(): string {
    const total = this.#spent.reduce((sum, { ms }) => sum + ms, 0);
    const width = Math.max(5, ...this.#spent.map(({ title }) => title.length));
    const row = (title: string, ms: number) =>
      `  ${title.padEnd(width)}  ${seconds(ms).padStart(8)}  ${`${Math.round((100 * ms) / Math.max(total, 1))} %`.padStart(5)}`;
    return ["Where the time went:", ...this.#spent.map(({ title, ms }) => row(title, ms)), row("total", total)].join("\n");
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
