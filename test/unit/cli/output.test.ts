import { Writable } from "node:stream";
import test from "ava";
import { makeOutput } from "../../../src/cli/output.ts";

test("a slow reader costs no listeners, however often it is waited for", async (t) => {
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => setImmediate(done) });
  const output = makeOutput(stream as unknown as NodeJS.WriteStream);
  for (let count = 0; count < 200; count++) await output.write("abc");
  t.true(stream.listenerCount("drain") <= 1);
  t.true(stream.listenerCount("close") <= 1);
  t.true(stream.listenerCount("error") <= 2);
});
