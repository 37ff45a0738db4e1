// Splits a byte stream that is not trusted into lines of bounded length.
import type { Readable } from "node:stream";

export interface LineReader {
  /** Bytes. A longer line is handed on cut at this length, or given to `onOverflow` where that is set. */
  readonly maxLineBytes: number;
  onLine(line: string): void;
  onOverflow?(): void;
}

/** Reads until the stream ends; a last line without a newline counts. */
export function readLines(stream: Readable, reader: LineReader): void {
  let parts: Buffer[] = [];
  let length = 0;
  let overflowed = false;

  const finish = () => {
    if (overflowed && reader.onOverflow) reader.onOverflow();
    else reader.onLine(Buffer.concat(parts).toString("utf8").replace(/\r$/, ""));
    parts = [];
    length = 0;
    overflowed = false;
  };
  const take = (chunk: Buffer) => {
    const room = reader.maxLineBytes - length;
    if (chunk.length > room) overflowed = true;
    const kept = chunk.subarray(0, room);
    if (kept.length > 0) parts.push(kept);
    length += kept.length;
  };

  stream.on("data", (chunk: Buffer) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      take(chunk.subarray(start, end));
      finish();
      start = end + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
    // Without a limit on the wait for a newline there is none on memory: parts of one byte each.
    if (parts.length > 1024) parts = [Buffer.concat(parts)];
  });
  stream.on("end", () => {
    if (length > 0) finish();
  });
}
