import test from "ava";
import fc from "fast-check";
import { encodeFrame, type Frame, frameReader, kinds, readPayload } from "../../nested/frames.ts";

const frames = fc.array(fc.record({ kind: fc.constantFrom(...kinds), payload: fc.uint8Array({ maxLength: 300 }) }));

test("frames come out as they went in, however the stream is cut", (t) => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 50 }), (sent, step) => {
      const stream = Buffer.concat(sent.map(({ kind, payload }) => encodeFrame(kind, payload)));
      const received: Frame[] = [];
      const take = frameReader((frame) => received.push(frame));
      for (let at = 0; at < stream.length; at += step) take(stream.subarray(at, at + step));
      t.deepEqual(
        received.map(({ kind, payload }) => ({ kind, payload: [...payload] })),
        sent.map(({ kind, payload }) => ({ kind, payload: [...payload] })),
      );
    }),
  );
});

test("an object travels as JSON", (t) => {
  frameReader((frame) => t.deepEqual(readPayload(frame), { name: "SIGTERM" }))(
    encodeFrame("signal", { name: "SIGTERM" }),
  );
});
