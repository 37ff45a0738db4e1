import { duplexPair } from "node:stream";
import test from "ava";
import fc from "fast-check";
import { encodeFrame, FrameDecoder, readFrames } from "../../../src/link/frame.ts";
import { frameKind, maxFrameBytes } from "../../../src/link/protocol.ts";

const decodeAll = (chunks: Buffer[]) => {
  const decoder = new FrameDecoder();
  const frames = chunks.flatMap((chunk) => [...decoder.push(chunk)]);
  return { frames, isPartial: decoder.isPartial };
};
const lengthField = (length: number) => {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32LE(length);
  return bytes;
};

test("frames come out as they went in, however they are cut", (t) => {
  const frame = fc.record({
    kind: fc.constantFrom(...Object.values(frameKind)),
    payload: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat(50)), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ kind, payload }) => encodeFrame(kind, payload)));
      const chunks: Buffer[] = [];
      let start = 0;
      for (const cut of cuts) {
        chunks.push(bytes.subarray(start, start + cut));
        start += cut;
      }
      chunks.push(bytes.subarray(start));
      const decoded = decodeAll(chunks);
      t.deepEqual(
        decoded.frames.map(({ kind, payload }) => ({ kind, payload: [...payload] })),
        frames.map(({ kind, payload }) => ({ kind, payload: [...payload] })),
      );
      t.false(decoded.isPartial);
    }),
  );
});

test("a thousand frames in one write and one frame in one-byte writes are the same frames", (t) => {
  const bytes = Buffer.concat(Array.from({ length: 1000 }, () => encodeFrame(frameKind.stdout, Buffer.from("abc"))));
  t.is(decodeAll([bytes]).frames.length, 1000);
  t.is(decodeAll(Array.from(bytes, (byte) => Buffer.of(byte))).frames.length, 1000);
});

test("the largest frame in one-byte writes costs no more than linear time", (t) => {
  const bytes = encodeFrame(frameKind.stdout, Buffer.alloc(maxFrameBytes - 1));
  const start = performance.now();
  t.is(decodeAll(Array.from(bytes, (byte) => Buffer.of(byte))).frames.length, 1);
  t.true(performance.now() - start < 2000);
});

for (const length of [0, maxFrameBytes + 1, 2 ** 31, 2 ** 32 - 1]) {
  test(`a length of ${length} breaks the protocol`, (t) => {
    t.like(
      t.throws(() => decodeAll([lengthField(length)])),
      { code: "protocol" },
    );
  });
}

test("an unknown kind breaks the protocol", (t) => {
  t.like(
    t.throws(() => decodeAll([Buffer.from([1, 0, 0, 0, 9])])),
    { code: "protocol" },
  );
});

test("a frame that is too large is not sent", (t) => {
  t.like(
    t.throws(() => encodeFrame(frameKind.stdin, Buffer.alloc(maxFrameBytes))),
    { code: "protocol" },
  );
});

test("a stream that ends inside a frame breaks the protocol and is closed", async (t) => {
  const [ours, theirs] = duplexPair();
  theirs.end(Buffer.from([9, 0, 0, 0, 0, 1]));
  const error = await t.throwsAsync(async () => {
    for await (const _ of readFrames(ours));
  });
  t.like(error, { code: "protocol" });
  t.true(ours.destroyed);
});

test("a frame that is begun and not finished breaks the protocol at the deadline", async (t) => {
  const [ours, theirs] = duplexPair();
  theirs.write(Buffer.from([9, 0, 0, 0, 0, 1]));
  const start = performance.now();
  const error = await t.throwsAsync(async () => {
    for await (const _ of readFrames(ours));
  });
  t.like(error, { code: "protocol" });
  t.true(performance.now() - start >= 4900);
});
