import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { formatLogLine } from "../../../src/cli/log-line.ts";
import { LogTail } from "../../../src/cli/log-tail.ts";
import { plainStyle } from "../../../src/cli/style.ts";

const line = (message: string, time = "2026-03-01T12:00:00.000Z") => JSON.stringify({ time, source: "app", message });
const format = { isJson: false, sinceMs: undefined, style: plainStyle };

test("a line is its time, source and message", (t) => {
  t.is(formatLogLine(line("hello"), format), "2026-03-01T12:00:00.000Z app hello");
});

test("older lines than --since says are left out", (t) => {
  const sinceMs = Date.parse("2026-03-01T12:00:00Z");
  t.truthy(formatLogLine(line("then"), { ...format, sinceMs }));
  t.is(formatLogLine(line("before", "2026-03-01T11:59:59.999Z"), { ...format, sinceMs }), undefined);
  t.is(formatLogLine(line("never", "no time"), { ...format, sinceMs }), undefined);
});

test("a guest's control characters do not reach the terminal", (t) => {
  t.is(formatLogLine(line("a\u001b[2J\u0007b\u009bc\nd"), format), "2026-03-01T12:00:00.000Z app abc d");
  t.notRegex(formatLogLine(line("\u009b\u007f"), { ...format, isJson: true }) ?? "", /\p{Cc}/u);
});

test("what is no entry is left out", (t) => {
  for (const text of ["", "{", "null", "[]", '{"time":1,"source":"a","message":"b"}', '"text"'])
    t.is(formatLogLine(text, format), undefined, text);
});

async function withTail(use: (path: string, read: () => Promise<string[]>) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "cloche-test-"));
  const path = join(directory, "log");
  const tail = new LogTail(path);
  const read = async () => {
    const lines: string[] = [];
    await tail.read(async (text) => void lines.push(text));
    return lines;
  };
  await use(path, read);
  await tail[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
}

test("only whole lines are handed on, each once", async (t) => {
  await withTail(async (path, read) => {
    t.deepEqual(await read(), []);
    await writeFile(path, "one\ntw");
    t.deepEqual(await read(), ["one"]);
    await appendFile(path, "o\nthree\n");
    t.deepEqual(await read(), ["two", "three"]);
    t.deepEqual(await read(), []);
  });
});

test("nothing is lost when the file is rotated", async (t) => {
  await withTail(async (path, read) => {
    await writeFile(path, "one\n");
    await read();
    await appendFile(path, "two\n");
    await rename(path, `${path}.1`);
    await writeFile(path, "three\n");
    t.deepEqual(await read(), ["two", "three"]);
  });
});

test("a log that begins anew is read from its beginning", async (t) => {
  await withTail(async (path, read) => {
    await writeFile(path, "a long first line\n");
    await read();
    await writeFile(path, "new\n");
    t.deepEqual(await read(), ["new"]);
  });
});
