// cloud-hypervisor's event stream (--event-monitor): JSON objects over several lines, an empty line after each.
import type { Readable } from "node:stream";
import { readLines } from "../read-lines.ts";
import { schemaCheck } from "../schema.ts";

export interface MonitorEvent {
  readonly source: string;
  readonly event: string;
}

/** Bytes and lines of one event; those that we know have a few hundred bytes. */
const maxLineBytes = 16 * 1024;
const maxLines = 256;

const check = schemaCheck<MonitorEvent>({
  type: "object",
  required: ["source", "event"],
  properties: { source: { type: "string", maxLength: 256 }, event: { type: "string", maxLength: 256 } },
});

export interface EventReader {
  onEvent(event: MonitorEvent): void;
  /** What came is not an event; no more are read. */
  onBroken(): void;
}

/** Reads until the stream ends or is broken. */
export function readEvents(stream: Readable, reader: EventReader): void {
  let lines: string[] = [];
  let isBroken = false;
  const fail = () => {
    if (isBroken) return;
    isBroken = true;
    lines = [];
    reader.onBroken();
  };
  const finish = () => {
    const event = parseEvent(lines.join("\n"));
    lines = [];
    if (event === undefined) fail();
    else reader.onEvent(event);
  };
  readLines(stream, {
    maxLineBytes,
    onLine(line) {
      if (isBroken) return;
      if (line === "") return lines.length > 0 ? finish() : undefined;
      if (lines.push(line) > maxLines) fail();
    },
    onOverflow: fail,
  });
}

/** One event, or undefined for what is none. */
export function parseEvent(text: string): MonitorEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return check.isValid(value) ? { source: value.source, event: value.event } : undefined;
  } catch {
    return undefined;
  }
}
