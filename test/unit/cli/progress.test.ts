import test from "ava";
import { describeWork, makeProgress } from "../../../src/cli/progress.ts";
import { RelayedProgress, SentProgress } from "../../../src/cli/relayed-progress.ts";
import { plainStyle } from "../../../src/cli/style.ts";

const work = { title: "Building", expectedSeconds: undefined, detail: "", fraction: undefined };

test("a step is shown with how much is done, how long it takes, and what it does", (t) => {
  t.is(describeWork(work, 0), "Building");
  t.is(describeWork({ ...work, fraction: 0.456, detail: "unpacking" }, 0), "Building 45%  unpacking");
  t.is(
    describeWork({ ...work, expectedSeconds: 90, fraction: 7 }, 12_000),
    "Building 100% (12.0 s of about 1 min 30 s)",
  );
});

test("a terminal shows the innermost step, and its line is gone at the end", (t) => {
  let shown = "";
  const progress = makeProgress({ isTTY: true, columns: 40, write: (text) => (shown += text) }, plainStyle);
  const outer = progress.step("Starting");
  const inner = progress.step("Building");
  t.regex(shown, /Building$/);
  inner.done();
  t.regex(shown, /Starting$/);
  outer.done();
  outer.done();
  t.true(shown.endsWith("\r\x1b[K"));
});

test("a step that fails takes with it what began within it", (t) => {
  let shown = "";
  const progress = makeProgress({ isTTY: true, columns: 40, write: (text) => (shown += text) }, plainStyle);
  const outer = progress.step("Starting");
  const inner = progress.step("Building");
  outer.fail();
  inner.fail();
  t.regex(shown, /✗ Starting \(\d+ ms\)\n$/);
});

test("a pipe gets nothing about what is quick", (t) => {
  let shown = "";
  makeProgress({ write: (text) => (shown += text) }, plainStyle)
    .step("Looking")
    .done();
  t.is(shown, "");
});

test("the steps of another process are shown like our own", (t) => {
  const told: string[] = [];
  const relayed = new RelayedProgress({
    step: (title, expected) => {
      told.push(`${title} ${expected}`);
      return {
        update: (detail, fraction) => told.push(`${detail} ${fraction}`),
        done: (detail) => told.push(`done ${detail}`),
        fail: () => told.push("fail"),
      };
    },
  });
  const sent = new SentProgress((message) => relayed.take(JSON.parse(JSON.stringify(message))));
  const [first, second] = [sent.step("a", 3), sent.step("b")];
  first.update("half", 0.5);
  second.fail();
  first.done();
  first.done();
  t.deepEqual(told, ["a 3", "b undefined", "half 0.5", "fail", "done undefined"]);
});
