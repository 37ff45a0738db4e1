import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { InstanceLog, type LogEntry } from "../../src/log.ts";

async function withLog(t: ExecutionContext, use: (log: InstanceLog, path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "cloche-test-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const log = new InstanceLog(join(directory, "logs", "foot.jsonl"));
  await use(log, join(directory, "logs", "foot.jsonl"));
  log.close();
}
const entries = async (path: string): Promise<LogEntry[]> =>
  (await readFile(path, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("a line is one JSON object with time, source and message", async (t) => {
  await withLog(t, async (log, path) => {
    log.write("console", 'a "quoted" line');
    const [entry] = await entries(path);
    t.like(entry, { source: "console", message: 'a "quoted" line' });
    t.false(Number.isNaN(Date.parse(entry?.time ?? "")));
  });
});

test("a source that floods costs a bounded number of lines, and others are heard", async (t) => {
  await withLog(t, async (log, path) => {
    for (let line = 0; line < 50_000; line++) log.write("console", "noise");
    log.write("supervisor", "stops");
    const lines = await entries(path);
    t.true(lines.length < 2000);
    t.is(lines.at(-1)?.message, "stops");
  });
});

test("the file is kept to its size, with one older file beside it", async (t) => {
  await withLog(t, async (log, path) => {
    const message = "x".repeat(60_000);
    for (let line = 0; line < 150; line++) log.write(`source${line}`, message);
    t.true((await stat(path)).size <= 4 * 2 ** 20);
    t.true((await stat(`${path}.1`)).size <= 4 * 2 ** 20);
  });
});

test("the log is the user's alone", async (t) => {
  await withLog(t, async (_log, path) => {
    t.is((await stat(path)).mode & 0o777, 0o600);
  });
});
