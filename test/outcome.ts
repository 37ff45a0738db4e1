// What tests came to: counted, and told line by line as they end.

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

export const newOutcome = (): Outcome => ({ passed: 0, failed: 0, skipped: 0 });

export function addOutcome(to: Outcome, more: Outcome): void {
  to.passed += more.passed;
  to.failed += more.failed;
  to.skipped += more.skipped;
}

/** The last line of a run. */
export const summary = ({ passed, failed, skipped }: Outcome): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Counts the result lines of TAP (version 13); returns how a line is told, or undefined for what says nothing. */
export function readTapLine(line: string, outcome: Outcome): string | undefined {
  const match = /^(not )?ok \d+(?: - )?(.*?)(?:\s+# (SKIP|TODO)\b\s*(.*))?$/.exec(line);
  if (!match) return /^(TAP version|1\.\.\d|# (tests|pass|fail|skip)\b|\s*$)/.test(line) ? undefined : line;
  const [, not, title = "", directive, why = ""] = match;
  if (directive !== undefined) {
    outcome.skipped += 1;
    return `- ${title}${why === "" ? "" : `: ${why}`}`;
  }
  if (not !== undefined) outcome.failed += 1;
  else outcome.passed += 1;
  return `${not === undefined ? "✔" : "✘"} ${title}`;
}

/** Counts one of libtest's result lines; returns how it is told, or undefined for what says nothing by itself.
 *
 * libtest knows no skip at run time: such a test says `# SKIP name: reason` (native/lens/tests/support/need.rs) and passes.
 */
export function readCargoLine(line: string, outcome: Outcome): string | undefined {
  const match = /^test (.+?) \.\.\. (ok|FAILED|ignored(?:, (.*))?)$/.exec(line);
  if (match) {
    const [, title = "", result = "", why = "no reason given"] = match;
    if (result.startsWith("ignored")) outcome.skipped += 1;
    else if (result === "ok") outcome.passed += 1;
    else outcome.failed += 1;
    return result === "ok"
      ? undefined
      : `${result === "FAILED" ? "✘" : "-"} ${title}${result === "FAILED" ? "" : `: ${why}`}`;
  }
  const [, skipped, reason] = /^# SKIP (\S+): (.+)$/.exec(line) ?? [];
  if (skipped !== undefined) {
    outcome.skipped += 1;
    outcome.passed -= 1;
    return `- ${skipped}: ${reason}`;
  }
  return /^(running \d+ tests?|test result: |\s*$)/.test(line) ? undefined : line;
}
