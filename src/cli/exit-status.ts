// The one table of exit statuses, and what an error's is.
import { constants } from "node:os";
import { ClocheError } from "../errors.ts";

export const exitStatus = {
  success: 0,
  failure: 1,
  usage: 2,
  cloche: 125,
  cannotExecute: 126,
  notFound: 127,
  signalBase: 128,
} as const;

/** For `cloche --help` and the manual. */
export const exitStatusTexts: readonly (readonly [string, string])[] = [
  ["0", "it is done"],
  ["1", "it failed; of doctor: a check failed"],
  ["2", "the command line could not be understood"],
  ["125", "run, exec, shell: Cloche itself failed; any other status is the command's own"],
  ["126", "run, exec, shell: the command could not be executed"],
  ["127", "run, exec, shell: there is no such command"],
  ["128+n", "run, exec, shell: the command was ended by signal n"],
  ["130", "interrupted by Ctrl-C (129: the terminal went away, 143: told to end)"],
];

export interface StatusFacts {
  readonly carriesStatus: boolean;
  /** The signal that interrupted us, if one did. */
  readonly interruptedBy?: NodeJS.Signals | undefined;
}

export function statusOfError(error: unknown, { carriesStatus, interruptedBy }: StatusFacts): number {
  const code = error instanceof ClocheError ? error.code : undefined;
  if (code === "usage") return exitStatus.usage;
  if (code === "interrupted") return statusOfSignal(interruptedBy ?? "SIGINT");
  if (!carriesStatus) return exitStatus.failure;
  if (code !== "cannot-execute") return exitStatus.cloche;
  return error instanceof ClocheError && error.cause === "ENOENT" ? exitStatus.notFound : exitStatus.cannotExecute;
}

/** Of a command in the guest. */
export function statusOfExit({ code, signal }: { code: number | null; signal: string | null }): number {
  return signal === null ? (code ?? exitStatus.cloche) : statusOfSignal(`SIG${signal.replace(/^SIG/, "")}`);
}

/** A signal of a name that this system does not know counts as SIGKILL. */
export function statusOfSignal(name: string): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return exitStatus.signalBase + (numbers[name] ?? constants.signals.SIGKILL);
}
