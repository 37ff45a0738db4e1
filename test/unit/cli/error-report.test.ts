import test from "ava";
import { packError, reviveError } from "../../../src/cli/detached-message.ts";
import { errorDocument, reportError } from "../../../src/cli/error-report.ts";
import { plainStyle } from "../../../src/cli/style.ts";
import { ClocheError } from "../../../src/errors.ts";

const panic = new ClocheError("kernel-panic", "the guest's kernel gave up", {
  stage: "boot",
  hint: "Try another image.",
  console: ["\u001b[31mred\u001b[0m alert\u0007", "Kernel panic - not syncing"],
  cause: new Error("qemu ended", { cause: new Error("status 1\nand more") }),
});

test("an error is shown with its stage, causes, console and hint", (t) => {
  t.is(
    reportError(panic, plainStyle),
    [
      "cloche: the guest's kernel gave up",
      "  stage:    boot",
      "  because:  qemu ended",
      "  because:  status 1",
      "            and more",
      "  console:",
      "    | red alert",
      "    | Kernel panic - not syncing",
      "  hint:     Try another image.",
    ].join("\n"),
  );
});

test("an error with nothing but a message is one line", (t) => {
  t.is(reportError(new ClocheError("in-use", "it broke"), plainStyle), "cloche: it broke");
  t.is(reportError("thrown text", plainStyle), "cloche: thrown text");
});

test("no text of a guest moves the cursor", (t) => {
  const hostile = new ClocheError("agent-failed", "in the guest: \u001b]0;title\u0007\u001b[2J\u009b1mhi", {
    cause: "\u001bc",
  });
  t.notRegex(reportError(hostile, plainStyle).replaceAll("\n", ""), /\p{Cc}/u);
});

test("a cause that the message tells already is not told again", (t) => {
  const error = new ClocheError("in-use", "cannot write: ENOSPC", { cause: new Error("ENOSPC") });
  t.is(reportError(error, plainStyle), "cloche: cannot write: ENOSPC");
});

test("causes that go round in a circle come to an end", (t) => {
  const error = new Error("round");
  error.cause = new Error("and round", { cause: error });
  t.true(reportError(error, plainStyle).split("\n").length < 10);
});

test("for programs an error is one object", (t) => {
  t.deepEqual(errorDocument(new ClocheError("usage", "wrong", { hint: "right" })), {
    error: { code: "usage", message: "wrong", hint: "right", stage: null, console: [] },
  });
  t.is(errorDocument(new TypeError("oops")).error.code, "internal");
});

test("an error that comes from a detached supervisor is shown as it was there", (t) => {
  const revived = reviveError(JSON.parse(JSON.stringify(packError(panic))));
  t.is(reportError(revived, plainStyle), reportError(panic, plainStyle));
  t.deepEqual(errorDocument(revived), errorDocument(panic));
});
