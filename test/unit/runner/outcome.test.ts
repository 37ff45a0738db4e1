import test from "ava";
import { newOutcome, readCargoLine, readTapLine, summary } from "../../outcome.ts";

test("TAP results are counted, and a skip tells its reason", (t) => {
  const outcome = newOutcome();
  const lines = ["TAP version 13", "ok 1 - a", "not ok 2 - b", "ok 3 - c # SKIP", "1..3", "  ---"];
  const told = lines.map((line) => readTapLine(line, outcome));
  t.deepEqual(told, [undefined, "✔ a", "✘ b", "- c", undefined, "  ---"]);
  t.is(summary(outcome), "1 passed, 1 failed, 1 skipped");
});

test("libtest's results are counted", (t) => {
  const outcome = newOutcome();
  const lines = [
    "running 3 tests",
    "test a::b ... ok",
    "test c ... FAILED",
    "test d ... ignored, no KVM",
    "test result: FAILED.",
  ];
  const told = lines.map((line) => readCargoLine(line, outcome));
  t.deepEqual(told, [undefined, undefined, "✘ c", "- d: no KVM", undefined]);
  t.is(summary(outcome), "1 passed, 1 failed, 1 skipped");
});

test("a Rust test that skips itself and passes is a skip with its reason", (t) => {
  const outcome = newOutcome();
  const lines = ["test a ... ok", "# SKIP b: sway is not installed", "test b ... ok", "test c ... ok"];
  const told = lines.map((line) => readCargoLine(line, outcome));
  t.deepEqual(told, [undefined, "- b: sway is not installed", undefined, undefined]);
  t.is(summary(outcome), "2 passed, 0 failed, 1 skipped");
});
