// The tests of xdg-desktop-portal itself, at the front end of a guest: each comes to what is kept in expected.ts.
import { accessSync, constants } from "node:fs";
import { messageOf } from "../../src/errors.ts";
import { needs } from "../support/require.ts";
import { expected, reasons } from "./expected.ts";
import { ensureRoot } from "./root.ts";
import { runTestFile, type TestOutcome } from "./suite.ts";

const { serial } = needs("fuse", whyNoFuse());

for (const [file, tests] of Object.entries(expected)) {
  serial(`test_${file}.py comes to what is expected of it`, async (t) => {
    const outcomes = await runTestFile(await ensureRoot(), file);
    const passed = outcomes.filter(({ outcome }) => outcome === "passed").length;
    t.log(
      `${passed} of ${outcomes.length} pass, ${Object.values(tests).filter((one) => one !== "passes").length} are to fail`,
    );
    t.deepEqual(findDifferences(tests, outcomes), []);
  });
}

/** One line for each test that comes to something else, is new or is gone. */
function findDifferences(tests: (typeof expected)[string], outcomes: readonly TestOutcome[]): string[] {
  const gone = Object.keys(tests).filter((name) => outcomes.every(({ test }) => test !== name));
  const wrong = outcomes.flatMap(({ test, outcome, message }) => {
    const wanted = tests[test];
    if (wanted === undefined) return [`${test} is new: ${outcome}`];
    if ((wanted === "passes") === (outcome === "passed")) return [];
    return [`${test} ${outcome}: ${wanted === "passes" ? message : `it was to fail: ${reasons[wanted]}`}`];
  });
  return [...wrong, ...gone.map((test) => `${test} is gone`)];
}

function whyNoFuse(): string | undefined {
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
