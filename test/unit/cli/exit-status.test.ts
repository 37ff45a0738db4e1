import test from "ava";
import { statusOfError, statusOfExit } from "../../../src/cli/exit-status.ts";
import { ClocheError, type ErrorCode, errorCodes } from "../../../src/errors.ts";

const carries = { carriesStatus: true };
const own = { carriesStatus: false };

test("a command's status is carried, a signal's is 128 and its number", (t) => {
  t.is(statusOfExit({ code: 0, signal: null }), 0);
  t.is(statusOfExit({ code: 255, signal: null }), 255);
  t.is(statusOfExit({ code: null, signal: "TERM" }), 143);
  t.is(statusOfExit({ code: null, signal: "KILL" }), 137);
  t.is(statusOfExit({ code: null, signal: "INT" }), 130);
  t.is(statusOfExit({ code: null, signal: "NONSENSE" }), 137);
});

test("a wrong command line is 2 for every command", (t) => {
  const error = new ClocheError("usage", "x");
  t.deepEqual([statusOfError(error, carries), statusOfError(error, own)], [2, 2]);
});

test("Cloche's own failure is 125 where a command's status is carried, and 1 elsewhere", (t) => {
  const others = Object.keys(errorCodes).filter((code) => !["usage", "interrupted", "cannot-execute"].includes(code));
  for (const code of others as ErrorCode[]) {
    t.is(statusOfError(new ClocheError(code, "x"), carries), 125, code);
    t.is(statusOfError(new ClocheError(code, "x"), own), 1, code);
  }
  t.is(statusOfError(new TypeError("a mistake of ours"), carries), 125);
});

test("a command that is not there is 127, one that cannot be executed 126", (t) => {
  t.is(statusOfError(new ClocheError("cannot-execute", "x", { cause: "ENOENT" }), carries), 127);
  t.is(statusOfError(new ClocheError("cannot-execute", "x", { cause: "EACCES" }), carries), 126);
  t.is(statusOfError(new ClocheError("cannot-execute", "x"), carries), 126);
});

test("an interruption has the status of its signal", (t) => {
  const error = new ClocheError("interrupted", "x");
  t.is(statusOfError(error, carries), 130);
  t.is(statusOfError(error, { ...own, interruptedBy: "SIGTERM" }), 143);
  t.is(statusOfError(error, { ...own, interruptedBy: "SIGHUP" }), 129);
});
