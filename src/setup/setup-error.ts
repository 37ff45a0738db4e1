// A step of the set-up that failed: which, why, and what can be done about it.
import { ClocheError, messageOf } from "../errors.ts";

export class SetupError extends Error {
  readonly step: string;
  readonly hint: string;

  constructor(step: string, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SetupError";
    this.step = step;
    this.hint = hint;
  }
}

/** The lines that a user is shown for anything that was thrown: step, message, causes, hint. */
export function describeFailure(thrown: unknown): string {
  const title = thrown instanceof SetupError ? `${thrown.step} failed: ` : "";
  const hint = thrown instanceof SetupError || thrown instanceof ClocheError ? thrown.hint : undefined;
  const lines = [`${title}${messageOf(thrown)}`];
  for (let cause = causeOf(thrown); cause !== undefined; cause = causeOf(cause))
    lines.push(`  because: ${messageOf(cause)}`);
  if (hint !== undefined) lines.push(`hint: ${hint}`);
  return lines.join("\n");
}

const causeOf = (thrown: unknown): unknown => (thrown instanceof Error ? thrown.cause : undefined);
