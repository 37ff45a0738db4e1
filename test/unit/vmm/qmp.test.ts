import { type Duplex, duplexPair } from "node:stream";
import test from "ava";
import { connectQmp } from "../../../src/vmm/qmp.ts";

const never = new AbortController().signal;
const greeting = '{"QMP": {"version": {}, "capabilities": []}}\r\n';

/** Answers every command with `answer(command)`. */
function fakeQemu(stream: Duplex, answer: (command: string, id: number) => string): void {
  stream.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split("\n")) {
      const { execute, id }: { execute: string; id: number } = JSON.parse(line);
      stream.write(answer(execute, id));
    }
  });
}

test("commands are answered by id, with events in between", async (t) => {
  const [ours, theirs] = duplexPair();
  const asked: string[] = [];
  fakeQemu(theirs, (command, id) => {
    asked.push(command);
    return `{"event": "RESUME"}\n{"return": {}, "id": ${id}}\n`;
  });
  theirs.write(greeting);
  const control = await connectQmp(ours, never);
  await control.pause();
  await control.resume();
  t.deepEqual(asked, ["qmp_capabilities", "stop", "cont"]);
});

test("a refusal names the command", async (t) => {
  const [ours, theirs] = duplexPair();
  fakeQemu(theirs, (command, id) =>
    command === "stop"
      ? `{"error": {"class": "x", "desc": "not now"}, "id": ${id}}\n`
      : `{"return": {}, "id": ${id}}\n`,
  );
  theirs.write(greeting);
  const control = await connectQmp(ours, never);
  t.is((await t.throwsAsync(control.pause()))?.message, "QEMU refused stop: not now");
});

const bad: [what: string, bytes: string, code: string][] = [
  ["text that is not JSON", "hello\n", "protocol"],
  ["JSON that is no object", "7\n", "protocol"],
  ["a line without an end", `${"x".repeat(100_000)}\n`, "protocol"],
];
for (const [what, bytes, code] of bad) {
  test(`${what} ends the connection`, async (t) => {
    const [ours, theirs] = duplexPair();
    theirs.write(bytes);
    t.like(await t.throwsAsync(connectQmp(ours, never)), { code });
    t.true(ours.destroyed);
  });
}

test("a monitor that hangs up before its greeting has failed", async (t) => {
  const [ours, theirs] = duplexPair();
  theirs.destroy();
  ours.destroy();
  t.like(await t.throwsAsync(connectQmp(ours, never)), { code: "monitor-failed" });
});

test("giving up ends the wait", async (t) => {
  const [ours] = duplexPair();
  const abort = new AbortController();
  const connecting = connectQmp(ours, abort.signal);
  abort.abort();
  t.like(await t.throwsAsync(connecting), { code: "interrupted" });
});
