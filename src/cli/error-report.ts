// How an error is shown: to people in a few lines, to programs as JSON.
import { ClocheError, messageOf } from "../errors.ts";
import { printable } from "../instance/console.ts";
import type { Style } from "./style.ts";

/** Lines of a cause that are shown; a build's may have dozens. */
const maxCauseLines = 12;
const maxCauses = 4;

export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly stage: string | null;
    readonly console: readonly string[];
  };
}

export function errorDocument(error: unknown): ErrorDocument {
  const known = error instanceof ClocheError ? error : undefined;
  return {
    error: {
      code: known?.code ?? "internal",
      message: messageOf(error),
      hint: known?.hint ?? null,
      stage: known?.stage ?? null,
      console: known?.console ?? [],
    },
  };
}

/** `cloche: MESSAGE`, then the stage, the causes, the console's last lines and the hint, each where there is one. */
export function reportError(error: unknown, style: Style): string {
  const known = error instanceof ClocheError ? error : undefined;
  const label = (word: string) => style("dim", `  ${word}:`.padEnd(12));
  const indent = (text: string) =>
    printable(text)
      .split("\n")
      .join(`\n${" ".repeat(12)}`);
  return [
    `${style("red", "cloche:")} ${indent(messageOf(error))}`,
    ...(known?.stage === undefined ? [] : [label("stage") + printable(known.stage)]),
    ...causesOf(error).map((text) => label("because") + indent(text)),
    ...(known?.console.length ? [label("console").trimEnd()] : []),
    ...(known?.console ?? []).map((line) => style("dim", `    | ${printable(line).replaceAll("\n", " ")}`)),
    ...(known?.hint === undefined ? [] : [style("cyan", "  hint:".padEnd(12)) + indent(known.hint)]),
  ].join("\n");
}

/** What stands behind the error, outermost first, without what the message before it says already. */
export function causesOf(error: unknown): string[] {
  const texts: string[] = [];
  let said = messageOf(error);
  let current = error instanceof Error ? error.cause : undefined;
  while (current !== undefined && current !== null && texts.length < maxCauses) {
    const text = messageOf(current).split("\n").slice(0, maxCauseLines).join("\n").trim();
    // A bare errno stands beside a message that has it in words.
    if (text && !said.includes(text) && !/^E[A-Z0-9]+$/.test(text)) texts.push(text);
    said = text || said;
    current = current instanceof Error ? current.cause : undefined;
  }
  return texts;
}
