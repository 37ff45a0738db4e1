// Runs a program of the set-up with its output in the step's progress; a failure shows the output's last lines.
import { execa } from "execa";
import type { Step } from "../progress.ts";
import { readLines } from "../read-lines.ts";
import { SetupError } from "./setup-error.ts";

/** Lines of output that a failure shows. */
const keptLines = 25;

export interface LoggedCommand {
  /** The step's name, for the error. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly hint: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly signal?: AbortSignal;
  /** Whether the program may ask on the terminal, as sudo does for a password. */
  readonly mayAsk?: boolean;
}

export async function runLogged(command: LoggedCommand, step: Step): Promise<void> {
  const [file = "", ...args] = command.argv;
  const last: string[] = [];
  const child = execa(file, args, {
    stdin: command.mayAsk ? "inherit" : "ignore",
    all: true,
    buffer: false,
    reject: false,
    cleanup: true,
    ...(command.environment && { env: command.environment }),
    ...(command.directory !== undefined && { cwd: command.directory }),
    ...(command.signal && { cancelSignal: command.signal }),
  });
  readLines(child.all, {
    maxLineBytes: 2_000,
    onLine(line) {
      if (line.trim() === "") return;
      if (last.push(line) > keptLines) last.shift();
      step.update(line.trim());
    },
  });
  const result = await child;
  if (result.exitCode === 0) return;
  const how =
    result.code === "ENOENT" ? "is not installed" : `ended with ${result.signal ?? `status ${result.exitCode}`}`;
  const output = last.map((line) => `\n  | ${line}`).join("");
  throw new SetupError(command.name, `${file} ${how}${output}`, command.hint);
}
