// What a command gets of the world besides its command line.
import type { Progress } from "../progress.ts";
import { Interrupts } from "./interrupts.ts";
import { makeOutput, type Output } from "./output.ts";
import { makeProgress } from "./progress.ts";
import { type Style, styleFor } from "./style.ts";

export interface Context {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Colours for standard output. */
  readonly style: Style;
  /** Whether --json was given. */
  readonly isJson: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: Progress;
  /** From the first call on, Ctrl-C and its kin no longer end the process by themselves. */
  readonly interrupts: () => Interrupts;
  /** The signal that interrupted the command, if one did. */
  readonly interruptedBy: () => NodeJS.Signals | undefined;
}

/** Of the process itself. */
export function processContext(isJson: boolean): Context {
  const stderr = makeOutput(process.stderr);
  let interrupts: Interrupts | undefined;
  return {
    stdout: makeOutput(process.stdout),
    stderr,
    style: styleFor(process.stdout, process.env),
    isJson,
    environment: process.env,
    progress: makeProgress(process.stderr, styleFor(process.stderr, process.env)),
    interrupts: () => {
      interrupts ??= new Interrupts();
      return interrupts;
    },
    interruptedBy: () => interrupts?.received,
  };
}

/** One JSON value on one line. */
export const printJson = (context: Context, value: unknown): Promise<void> =>
  context.stdout.print(JSON.stringify(value));
