import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import test from "ava";
import fc from "fast-check";
import { type MonitorEvent, parseEvent, readEvents } from "../../../src/vmm/cloud-hypervisor-events.ts";

/** As cloud-hypervisor 53 writes them. */
const booted = `{
  "timestamp": {
    "secs": 0,
    "nanos": 81473211
  },
  "source": "vm",
  "event": "booted",
  "properties": null
}

`;
const activated = `{
  "timestamp": { "secs": 1, "nanos": 5 },
  "source": "virtio-device",
  "event": "activated",
  "properties": {
    "id": "_disk0"
  }
}

`;

/** What a reader tells of these chunks. */
async function read(chunks: readonly (string | Buffer)[]): Promise<(MonitorEvent | "broken")[]> {
  const stream = new PassThrough();
  const told: (MonitorEvent | "broken")[] = [];
  readEvents(stream, { onEvent: (event) => told.push(event), onBroken: () => told.push("broken") });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  while (!stream.readableEnded) await setImmediate();
  return told;
}

test("events over several lines are read one by one", async (t) => {
  t.deepEqual(await read([booted + activated]), [
    { source: "vm", event: "booted" },
    { source: "virtio-device", event: "activated" },
  ]);
});

test("an event on one line is an event too", async (t) => {
  t.deepEqual(await read(['{"source":"vm","event":"paused"}\n\n']), [{ source: "vm", event: "paused" }]);
});

test("wherever the stream is cut, the events are the same", async (t) => {
  const bytes = Buffer.from(booted + activated);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      t.is((await read(chunks)).length, 2);
    }),
  );
});

for (const [what, text] of [
  ["text", "booted\n\n"],
  ["JSON that is no event", '{"vm": "booted"}\n\n'],
  ["an event whose name is no text", '{"source": "vm", "event": 1}\n\n'],
  ["an event of too many lines", `${"[\n".repeat(300)}\n`],
  ["a line without an end", "x".repeat(40_000)],
] as const) {
  test(`${what} breaks the stream, and nothing behind it counts`, async (t) => {
    t.deepEqual(await read([text, booted]), ["broken"]);
  });
}

test("no text makes the parser throw", (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const event = parseEvent(text);
      t.true(event === undefined || typeof event.source === "string");
    }),
  );
  t.pass();
});
