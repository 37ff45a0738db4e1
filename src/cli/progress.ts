// Progress for people: a moving line on a terminal, a line for what takes long elsewhere.
import type { Progress, Step } from "../progress.ts";
import { formatMs } from "./amounts.ts";
import type { Style } from "./style.ts";

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Work that is done sooner is not worth a line. */
const shortMs = 1_500;
const frameMs = 100;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export function makeProgress(screen: Screen, style: Style): Progress {
  return screen.isTTY ? new TerminalProgress(screen, style) : new PlainProgress(screen);
}

interface Work {
  readonly title: string;
  readonly start: number;
  readonly expectedSeconds: number | undefined;
  detail: string;
  fraction: number | undefined;
}

const begin = (title: string, expectedSeconds: number | undefined): Work => ({
  title,
  start: performance.now(),
  expectedSeconds,
  detail: "",
  fraction: undefined,
});
const sinceStart = (work: Work): number => performance.now() - work.start;

/** The line of `work` while it is under way, without colour. */
export function describeWork(work: Omit<Work, "start">, elapsedMs: number): string {
  const percent = work.fraction === undefined ? "" : ` ${Math.floor(Math.min(1, Math.max(0, work.fraction)) * 100)}%`;
  const expected = work.expectedSeconds === undefined ? "" : ` of about ${formatMs(work.expectedSeconds * 1000)}`;
  const time = elapsedMs < 1_000 ? "" : ` (${formatMs(elapsedMs)}${expected})`;
  return `${work.title}${percent}${time}${work.detail ? `  ${work.detail}` : ""}`;
}

/** Shows the innermost step that is under way, in place. */
class TerminalProgress implements Progress {
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #under: Work[] = [];
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;

  constructor(screen: Screen, style: Style) {
    this.#screen = screen;
    this.#style = style;
  }

  step(title: string, expectedSeconds?: number): Step {
    const work = begin(title, expectedSeconds);
    this.#under.push(work);
    this.#timer ??= setInterval(() => this.#draw(), frameMs).unref();
    this.#draw();
    const end = (mark: string | undefined, detail: string) => {
      const index = this.#under.indexOf(work);
      if (index < 0) return;
      // What began within it ends with it, told or not.
      this.#under.splice(index);
      const told = `${title} ${this.#style("dim", `(${formatMs(sinceStart(work))})`)}${detail ? `  ${detail}` : ""}`;
      this.#screen.write(`\r\x1b[K${mark === undefined ? "" : `${mark} ${told}\n`}`);
      if (this.#under.length > 0) return this.#draw();
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    return {
      update(detail, fraction) {
        work.detail = detail;
        work.fraction = fraction;
      },
      done: (detail = "") => end(sinceStart(work) < shortMs ? undefined : this.#style("green", "✓"), detail),
      fail: () => end(this.#style("red", "✗"), ""),
    };
  }

  #draw(): void {
    const work = this.#under.at(-1);
    if (work === undefined) return;
    this.#frame = (this.#frame + 1) % frames.length;
    const line = describeWork(work, sinceStart(work)).slice(0, Math.max(10, (this.#screen.columns ?? 80) - 3));
    this.#screen.write(`\r\x1b[K${this.#style("cyan", frames[this.#frame] ?? "")} ${line}`);
  }
}

/** Says that a step has begun once it takes long, and then that it has ended. */
class PlainProgress implements Progress {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  step(title: string, expectedSeconds?: number): Step {
    const work = begin(title, expectedSeconds);
    let isTold = false;
    const tell = () => {
      isTold = true;
      const expected = expectedSeconds === undefined ? "" : ` (about ${formatMs(expectedSeconds * 1000)})`;
      this.#screen.write(`${title}${expected} …\n`);
    };
    const timer = setTimeout(tell, shortMs).unref();
    const end = (word: string, detail: string) => {
      clearTimeout(timer);
      if (isTold)
        this.#screen.write(`${title}: ${word} (${formatMs(sinceStart(work))})${detail ? `, ${detail}` : ""}\n`);
    };
    return { update() {}, done: (detail = "") => end("done", detail), fail: () => end("failed", "") };
  }
}
