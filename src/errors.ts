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

const seeLogs = "All that its parts said: cloche logs INSTANCE. What this machine can do: cloche doctor.";

/** What can be done where the failure itself knows nothing better. */
export const usualHints: { readonly [code in ErrorCode]?: string } = {
  usage: "cloche help shows the commands, cloche COMMAND --help the options.",
  "bad-manifest": "Mend the file; README.md shows a whole manifest.",
  "monitor-failed": seeLogs,
  "kernel-panic": `It may have had too little memory: more with -m. ${seeLogs}`,
  "helper-failed": seeLogs,
  "agent-timeout": `A machine without KVM, or under load, may need more CPUs or a second try. ${seeLogs}`,
  "agent-failed": seeLogs,
  protocol: `An image of another version can be the cause: cloche image build APP. ${seeLogs}`,
  "cannot-execute": "Look whether it is there: cloche exec INSTANCE -- ls -l PATH.",
  "build-failed": "The last lines of the tool are above; without a network it cannot work.",
  state: "Look at the permissions of the path, and at the room that is left.",
  unsupported: "cloche doctor shows what this machine can do.",
};

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
    this.hint = facts.hint ?? usualHints[code];
    this.stage = facts.stage;
    this.console = facts.console ?? [];
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
