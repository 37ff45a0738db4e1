// What the guest's Wayland side says of each client when it ends: the frames that it passed on, and the bytes that it copied.
import { createInterface } from "node:readline";
import { execa } from "execa";
import type { BenchDesktop } from "./desktop.ts";
import type { BenchInstance } from "./instance.ts";

const deadlineMs = 20_000;

export interface CopyReport {
  readonly frames: number;
  readonly bytes: number;
}

export class CopyReports implements AsyncDisposable {
  readonly #logs: ReturnType<typeof followLog>;
  #last: CopyReport | undefined;
  #waiting = Promise.withResolvers<void>();

  constructor(desktop: BenchDesktop, instance: BenchInstance) {
    this.#logs = followLog(desktop, instance);
    createInterface({ input: this.#logs.stdout }).on("line", (line) => {
      const report = parseCopyReport(line);
      // Clients without a window have none.
      if (report === undefined || report.frames === 0) return;
      this.#last = report;
      this.#waiting.resolve();
    });
  }

  /** Forgets the reports of clients before the one that runs now. */
  expect(): void {
    this.#waiting.promise.catch(() => {});
    this.#waiting = Promise.withResolvers();
  }

  /** That of the client that ran at the last `expect`. */
  async take(): Promise<CopyReport> {
    const timer = setTimeout(
      () => this.#waiting.reject(new Error("the guest's Wayland side did not say what it copied")),
      deadlineMs,
    );
    await this.#waiting.promise.finally(() => clearTimeout(timer));
    return this.#last ?? { frames: 0, bytes: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting.promise.catch(() => {});
    this.#logs.kill("SIGTERM");
    await this.#logs;
  }
}

/** The report in a line of the log, or undefined where it has none. */
export function parseCopyReport(line: string): CopyReport | undefined {
  const [, frames, bytes] = /\bprogram \d+ ended: frames (\d+), .*\bbytes copied (\d+)$/.exec(line) ?? [];
  return frames === undefined ? undefined : { frames: Number(frames), bytes: Number(bytes) };
}

function followLog({ environment }: BenchDesktop, instance: BenchInstance) {
  const [file, ...args] = instance.cloche("logs", "--follow", instance.name);
  return execa(file, args, {
    ...{ stdin: "ignore", reject: false, extendEnv: false, cwd: "/", buffer: false },
    env: environment,
  });
}
