// An instance's log: JSON lines in a file of bounded size, with the one before it kept as `.1`.
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { ClocheError } from "./errors.ts";
import { stateDirectory } from "./paths.ts";

/** Bytes of one file. */
const maxBytes = 4 * 1024 * 1024;
/** Lines a second from one source; what is more is counted and said in one line. */
const maxLinesPerSecond = 200;

export interface LogEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  /** `supervisor`, `console`, `app`, `app.err`, or a helper's name. */
  readonly source: string;
  readonly message: string;
}

export const logPath = (id: string): string => join(stateDirectory(), "logs", `${id}.jsonl`);

export class InstanceLog {
  readonly #path: string;
  readonly #budgets = new Map<string, { second: number; lines: number }>();
  #descriptor: number;
  #bytes = 0;

  /** Begins a new log at `path`. Throws `state`. */
  constructor(path: string) {
    this.#path = path;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      rmSync(`${path}.1`, { force: true });
      this.#descriptor = openSync(path, "w", 0o600);
    } catch (cause) {
      throw new ClocheError("state", `the log ${path} cannot be written`, { cause });
    }
  }

  write(source: string, message: string): void {
    const dropped = this.#spend(source);
    if (dropped === undefined) return;
    if (dropped > 0) this.#append({ time: new Date().toISOString(), source, message: `[${dropped} lines dropped]` });
    this.#append({ time: new Date().toISOString(), source, message });
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  /** How many lines were dropped before this one, or undefined when this one is dropped too. */
  #spend(source: string): number | undefined {
    const second = Math.floor(Date.now() / 1000);
    const budget = this.#budgets.get(source) ?? { second, lines: 0 };
    const dropped = budget.second === second ? 0 : Math.max(0, budget.lines - maxLinesPerSecond);
    if (budget.second !== second) Object.assign(budget, { second, lines: 0 });
    budget.lines += 1;
    this.#budgets.set(source, budget);
    return budget.lines > maxLinesPerSecond ? undefined : dropped;
  }

  #append(entry: LogEntry): void {
    if (this.#descriptor < 0) return;
    const line = `${JSON.stringify(entry)}\n`;
    try {
      if (this.#bytes + Buffer.byteLength(line) > maxBytes) this.#rotate();
      this.#bytes += writeSync(this.#descriptor, line);
    } catch {
      // A full disk must not end the instance; the line is lost.
    }
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    // Whatever fails below, the number is another file's by then.
    this.#descriptor = -1;
    renameSync(this.#path, `${this.#path}.1`);
    this.#descriptor = openSync(this.#path, "w", 0o600);
    this.#bytes = 0;
  }
}
