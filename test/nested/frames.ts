// What client, owner and agent of the nested machine say to one another: frames of a kind and a payload.

/** `input` without a payload is its end. `stop` ends the machine. */
export const kinds = ["hello", "start", "input", "signal", "output", "errors", "exit", "stop"] as const;
export type Kind = (typeof kinds)[number];

export interface Frame {
  readonly kind: Kind;
  readonly payload: Buffer;
}

/** The payload of `start`, as JSON. */
export interface Command {
  readonly argv: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Seconds after which it is killed; 0 is never. */
  readonly timeoutSeconds: number;
}

/** The payload of `exit`, as JSON. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether its time was up. */
  readonly isLate: boolean;
}

/** Bytes of length before each frame; it counts the kind's byte and the payload. */
const prefixBytes = 4;

export function encodeFrame(kind: Kind, payload: Uint8Array | object = Buffer.alloc(0)): Buffer {
  const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  const head = Buffer.alloc(prefixBytes + 1);
  head.writeUInt32BE(bytes.length + 1);
  head.writeUInt8(kinds.indexOf(kind), prefixBytes);
  return Buffer.concat([head, bytes]);
}

/** Returns a function that takes what was received and hands on each frame that is whole. */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let received = Buffer.alloc(0);
  return (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= prefixBytes) {
      const end = prefixBytes + received.readUInt32BE();
      if (received.length < end) return;
      const kind = kinds[received.readUInt8(prefixBytes)];
      const payload = received.subarray(prefixBytes + 1, end);
      received = received.subarray(end);
      if (kind !== undefined) onFrame({ kind, payload });
    }
  };
}

export const readPayload = <T>({ payload }: Frame): T => JSON.parse(payload.toString("utf8")) as T;
