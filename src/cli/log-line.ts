// One line of an instance's log, as it is kept and as it is shown.
import { printable } from "../instance/console.ts";
import type { LogEntry } from "../log.ts";
import type { Style } from "./style.ts";

export interface LogFormat {
  /** As it is kept, for programs. */
  readonly isJson: boolean;
  /** Milliseconds since 1970; older lines are left out. */
  readonly sinceMs: number | undefined;
  readonly style: Style;
}

/** Undefined for a line that is too old, or is none. */
export function formatLogLine(line: string, { isJson, sinceMs, style }: LogFormat): string | undefined {
  const entry = parseEntry(line);
  if (entry === undefined) return undefined;
  if (sinceMs !== undefined && !(Date.parse(entry.time) >= sinceMs)) return undefined;
  const { time, source, message } = entry;
  if (isJson) return JSON.stringify({ time, source, message: printable(message) });
  return `${style("dim", printable(time))} ${style("cyan", printable(source))} ${printable(message).replaceAll("\n", " ")}`;
}

function parseEntry(line: string): LogEntry | undefined {
  try {
    const value: Partial<Record<keyof LogEntry, unknown>> | null = JSON.parse(line);
    const { time, source, message } = value ?? {};
    return typeof time === "string" && typeof source === "string" && typeof message === "string"
      ? { time, source, message }
      : undefined;
  } catch {
    return undefined;
  }
}
