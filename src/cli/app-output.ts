// An application's output: to the instance's log by lines, and to ours, harmless where that is a terminal.
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { printable } from "../instance/console.ts";
import type { ExecSinks, OutputSink } from "../link/exec.ts";
import { readLines } from "../read-lines.ts";
import type { Context } from "./context.ts";
import type { Output } from "./output.ts";

const maxLineBytes = 4096;

export class AppOutput {
  readonly sinks: ExecSinks;
  readonly #streams: PassThrough[] = [];

  constructor(context: Context, writeLog: (source: string, line: string) => void) {
    // With --json standard output is for JSON alone.
    const stdout = context.isJson ? context.stderr : context.stdout;
    this.sinks = {
      stdout: this.#sink(stdout, (line) => writeLog("app", printable(line))),
      stderr: this.#sink(context.stderr, (line) => writeLog("app.err", printable(line))),
    };
  }

  /** Resolves when a last line without a newline has been told, too. */
  async finish(): Promise<void> {
    await Promise.all(
      this.#streams.map(async (stream) => {
        const ended = once(stream, "end");
        stream.end();
        await ended;
      }),
    );
  }

  #sink(output: Output, writeLog: (line: string) => void): OutputSink {
    const lines = new PassThrough();
    this.#streams.push(lines);
    readLines(lines, {
      maxLineBytes,
      onLine(line) {
        writeLog(line);
        if (output.isTerminal) void output.print(printable(line));
      },
    });
    return async (chunk) => {
      lines.write(chunk);
      if (!output.isTerminal) await output.write(chunk);
    };
  }
}
