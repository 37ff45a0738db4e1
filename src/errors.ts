// Every failure that Cloche reports: a stable code, a message, a hint, and the cause chained behind it.

/** Error codes and what each means. Documented in docs/errors.md; a test holds the two together. */
export const errorCodes = {
  usage: "the command line could not be understood",
  "unknown-app": "no application of that name is in the catalogue",
  "bad-manifest": "an application's manifest is not valid",
  "unknown-instance": "no instance of that name is running",
  "already-running": "an instance of that name is running already",
  "missing-program": "a program that Cloche needs is not installed",
  "no-display": "there is no Wayland desktop to show windows on",
  unsupported: "the monitor or the host cannot do what was asked",
  "build-failed": "an image, a runtime or a native part could not be built",
  "disk-full": "there is no room left where Cloche has to write",
  "corrupt-image": "a stored image differs from its digest",
  "unknown-image": "no image of that name is stored",
  "in-use": "the object is used by a running instance",
  "monitor-failed": "the virtual machine monitor ended before it should have",
  "kernel-panic": "the guest's kernel panicked",
  "helper-failed": "a helper process of the instance ended before it should have",
  "agent-timeout": "the guest's agent did not answer in time",
  "agent-failed": "the guest's agent could not do what it was asked",
  protocol: "the other side broke the protocol",
  "cannot-execute": "the command could not be started in the guest",
  interrupted: "the user interrupted the operation",
  state: "Cloche's own state on disk could not be read or written",
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorFacts {
  /** What the user can do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The stage of a launch that failed, in the words of `--timing`. */
  readonly stage?: string;
  /** The last lines of the guest's console. */
  readonly console?: readonly string[];
}

export class ClocheError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly stage: string | undefined;
  readonly console: readonly string[];

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "ClocheError";
    this.code = code;
    this.hint = facts.hint;
    this.stage = facts.stage;
    this.console = facts.console ?? [];
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
