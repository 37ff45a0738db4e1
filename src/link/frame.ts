// Frames on the link: u32 little-endian length of what follows, u8 kind, payload. The one reader of the guest's bytes.
import type { Duplex } from "node:stream";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { frameKind, maxFrameBytes } from "./protocol.ts";

/** Milliseconds that a frame which has begun may take to arrive whole. */
export const partialFrameTimeoutMs = scaled(5_000);
const headerBytes = 4;

export type FrameKind = (typeof frameKind)[keyof typeof frameKind];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  const length = 1 + payload.byteLength;
  if (length > maxFrameBytes)
    throw new ClocheError("protocol", `a frame of ${length} bytes is longer than ${maxFrameBytes}`);
  const frame = Buffer.allocUnsafe(headerBytes + length);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt8(kind, headerBytes);
  frame.set(payload, headerBytes + 1);
  return frame;
}

/** Turns chunks of any size into frames; holds at most one frame and one chunk. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #held = 0;

  /** Whether the bytes of a frame that is not yet whole are held. */
  get isPartial(): boolean {
    return this.#held > 0;
  }

  /** Yields the frames that `chunk` completes. Throws `protocol` on a length or kind that cannot be. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (let length = this.#nextLength(); length !== undefined; length = this.#nextLength()) {
      if (length < 1 || length > maxFrameBytes)
        throw new ClocheError("protocol", `a frame says it has ${length} bytes`);
      if (this.#held < headerBytes + length) return;
      const bytes = this.#take(headerBytes + length);
      yield { kind: parseKind(bytes.readUInt8(headerBytes)), payload: bytes.subarray(headerBytes + 1) };
    }
  }

  #nextLength(): number | undefined {
    if (this.#held < headerBytes) return undefined;
    if ((this.#chunks[0]?.length ?? 0) < headerBytes) this.#join();
    return this.#chunks[0]?.readUInt32LE(0);
  }

  #take(count: number): Buffer {
    if ((this.#chunks[0]?.length ?? 0) < count) this.#join();
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    this.#held -= count;
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    return first.subarray(0, count);
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks)];
  }
}

function parseKind(value: number): FrameKind {
  for (const kind of Object.values(frameKind)) if (kind === value) return kind;
  throw new ClocheError("protocol", `a frame is of the unknown kind ${value}`);
}

/** Reads frames until the stream ends. Throws `protocol`; whichever way it ends, the stream is closed. */
export async function* readFrames(stream: Duplex): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder();
  let chunks = 0;
  let deadline: NodeJS.Timeout | undefined;
  const late = () => {
    // After a pause of this process the timer is due before the socket has been read: look at what came first.
    const before = chunks;
    deadline = undefined;
    setImmediate(() => {
      if (chunks === before)
        stream.destroy(new ClocheError("protocol", `a frame was not whole after ${partialFrameTimeoutMs / 1000} s`));
    });
  };
  try {
    for await (const chunk of stream) {
      chunks += 1;
      for (const frame of decoder.push(chunk)) {
        clearTimeout(deadline);
        deadline = undefined;
        yield frame;
      }
      if (decoder.isPartial) deadline ??= setTimeout(late, partialFrameTimeoutMs);
    }
    if (decoder.isPartial) throw new ClocheError("protocol", "the stream ended inside a frame");
  } finally {
    clearTimeout(deadline);
    stream.destroy();
  }
}
