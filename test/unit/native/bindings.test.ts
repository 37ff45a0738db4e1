// Process descriptors, start times and file locks.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import * as bindings from "../../../native/bindings/index.ts";

const directory = mkdtempSync(join(tmpdir(), "cloche-bindings-"));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const sleeper = () => spawn("sleep", ["60"], { stdio: "ignore" });
const pidOf = (child: ChildProcess): number => {
  if (child.pid === undefined) throw new Error("the child did not start");
  return child.pid;
};

test("a child's descriptor says that it lives, ends it, and says that it ended", async (t) => {
  const child = sleeper();
  const exited = once(child, "exit");
  const fd = bindings.openPidfd(pidOf(child));
  t.true(bindings.pidfdAlive(fd));
  t.true(bindings.signalPidfd(fd, constants.signals.SIGTERM));
  await bindings.waitPidfd(fd);
  t.false(bindings.pidfdAlive(fd));
  t.deepEqual(await exited, [null, "SIGTERM"]);
  t.false(bindings.signalPidfd(fd, constants.signals.SIGTERM));
  closeSync(fd);
});

test("a wait for a process's end can be called off", async (t) => {
  const child = sleeper();
  const fd = bindings.openPidfd(pidOf(child));
  const abort = new AbortController();
  const waiting = bindings.waitPidfd(fd, abort.signal);
  abort.abort(new Error("enough"));
  await t.throwsAsync(waiting, { message: "enough" });
  await t.throwsAsync(bindings.waitPidfd(fd, abort.signal), { message: "enough" });
  child.kill("SIGKILL");
  await bindings.waitPidfd(fd);
  closeSync(fd);
});

test("processes and descriptors that are not there throw with the errno's name", (t) => {
  t.throws(() => bindings.openPidfd(0), { code: "EINVAL" });
  t.throws(() => bindings.openPidfd(2 ** 30), { code: "ESRCH" });
  t.throws(() => bindings.pidfdAlive(987_654), { code: "EBADF" });
  t.throws(() => bindings.pidfdAlive(-1), { code: "EBADF" });
  t.throws(() => bindings.signalPidfd(987_654, constants.signals.SIGTERM), { code: "EBADF" });
  t.throws(() => bindings.signalPidfd(0, 9999), { code: "EINVAL" });
});

test("a start time is the same each time, differs from another process's, and is null for none", async (t) => {
  const own = bindings.processStartTime(process.pid);
  t.is(typeof own, "bigint");
  t.is(bindings.processStartTime(process.pid), own);
  t.not(bindings.processStartTime(1), own);
  t.is(bindings.processStartTime(2 ** 30), null);
});

test("a lock has one holder until its descriptor is closed", async (t) => {
  const path = join(directory, "one");
  const held = await bindings.lockFile(path, true);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is(await bindings.lockFile(path, false), null);
  closeSync(held);
  const again = await bindings.lockFile(path, false);
  t.not(again, null);
  if (again !== null) closeSync(again);
});

test("a lock that another process holds is waited for, and comes when that process is killed", async (t) => {
  const path = join(directory, "two");
  const child = spawn("flock", ["--exclusive", path, "sh", "-c", "echo locked; exec sleep 60"], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  await once(child.stdout, "data");
  t.is(await bindings.lockFile(path, false), null);
  let taken = false;
  const waiting = bindings.lockFile(path, true).then((fd) => {
    taken = true;
    return fd;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.false(taken);
  process.kill(-pidOf(child), "SIGKILL");
  closeSync(await waiting);
});

test("a lock file that cannot be opened throws with the errno's name", async (t) => {
  await t.throwsAsync(bindings.lockFile("/nonexistent/lock", true), { code: "ENOENT" });
  await t.throwsAsync(bindings.lockFile(directory, false), { code: "EISDIR" });
});
