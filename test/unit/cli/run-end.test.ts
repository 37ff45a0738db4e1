import test from "ava";
import { awaitEnd } from "../../../src/cli/run-end.ts";
import { ClocheError } from "../../../src/errors.ts";

const never = new Promise<never>(() => {});
const running = { failed: never, stopRequested: never };
const quiet = { first: never, received: undefined };
const fail = (error: Error) => {
  const promise = Promise.reject<never>(error);
  promise.catch(() => {});
  return promise;
};

test("an application that ends gives its status", async (t) => {
  const status = { code: 3, signal: null };
  t.deepEqual(await awaitEnd(running, { exited: Promise.resolve(status) }, quiet), { kind: "exited", status });
});

test("another command's stop and a signal are told apart", async (t) => {
  const session = { exited: never };
  const stopped = { ...running, stopRequested: Promise.resolve(5_000) };
  t.deepEqual(await awaitEnd(stopped, session, quiet), { kind: "stop", graceMs: 5_000 });
  const interrupts = { first: Promise.resolve("SIGTERM" as const), received: "SIGTERM" as const };
  t.deepEqual(await awaitEnd(running, session, interrupts), { kind: "interrupt", signal: "SIGTERM" });
});

test("the signal that also fails the machine counts as the signal", async (t) => {
  const instance = { ...running, failed: fail(new ClocheError("interrupted", "interrupted")) };
  const interrupts = { first: never, received: "SIGINT" as const };
  t.deepEqual(await awaitEnd(instance, { exited: never }, interrupts), { kind: "interrupt", signal: "SIGINT" });
});

test("a broken link is reported with what the machine says of it", async (t) => {
  const panic = new ClocheError("kernel-panic", "the kernel gave up");
  const failed = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(panic), 20);
  });
  const broken = { exited: fail(new ClocheError("agent-failed", "the link to the guest failed")) };
  t.deepEqual(await awaitEnd({ ...running, failed }, broken, quiet), { kind: "failed", error: panic });
});

test("a command that cannot be started is its own failure", async (t) => {
  const error = new ClocheError("cannot-execute", "no such program", { cause: "ENOENT" });
  t.deepEqual(await awaitEnd(running, { exited: fail(error) }, quiet), { kind: "failed", error });
});
