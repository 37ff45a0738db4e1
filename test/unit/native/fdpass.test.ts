// Unix sockets that carry descriptors.
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import * as fdpass from "../../../native/fdpass/index.ts";

const directory = mkdtempSync(join(tmpdir(), "cloche-fdpass-"));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const openDescriptors = () => readdirSync("/proc/self/fd").length;
const readable = (fd: number) =>
  new Promise<void>((resolve) => {
    const stop = fdpass.watchReadable(fd, () => {
      stop();
      resolve();
    });
  });

// libuv closes its handles at the end of a turn.
const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

// Serial, as they count this process's descriptors.
test.serial("a descriptor arrives beside its bytes, open on the same file and closed on exec", (t) => {
  const [left, right] = fdpass.socketpair();
  const file = openSync("/etc/hostname", "r");
  t.is(fdpass.send(left, Buffer.from("hello"), [file]), 5);
  const message = fdpass.receive(right, 100, 1);
  t.is(message?.bytes.toString(), "hello");
  const [received] = message?.fds ?? [];
  if (received === undefined) return t.fail("no descriptor came");
  t.is(fstatSync(received).ino, fstatSync(file).ino);
  // O_CLOEXEC of proc_pid_fdinfo(5), octal.
  t.regex(readFileSync(`/proc/self/fdinfo/${received}`, "utf8"), /^flags:\s+0*2\d{6}$/m);
  for (const fd of [left, right, received, file]) fdpass.close(fd);
});

test.serial("where more descriptors come than expected, all of them are closed and EMSGSIZE is thrown", (t) => {
  const [left, right] = fdpass.socketpair();
  const file = openSync("/etc/hostname", "r");
  const before = openDescriptors();
  // 2: the kernel pads the room for one descriptor so that a second fits. 3: it cuts off.
  for (const [sent, limit] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [200, 3],
  ] as const) {
    fdpass.send(left, Buffer.from("x"), Array<number>(sent).fill(file));
    t.throws(() => fdpass.receive(right, 100, limit), { code: "EMSGSIZE" }, `${sent} of ${limit}`);
    t.is(openDescriptors(), before);
  }
  fdpass.send(left, Buffer.from("next"), []);
  t.is(fdpass.receive(right, 100, 0)?.bytes.toString(), "next");
  for (const fd of [left, right, file]) fdpass.close(fd);
});

test.serial("253 descriptors are carried, 254 are refused, and none without a byte", (t) => {
  const [left, right] = fdpass.socketpair();
  const before = openDescriptors();
  fdpass.send(left, Buffer.from("x"), Array<number>(253).fill(left));
  const fds = fdpass.receive(right, 1, 253)?.fds ?? [];
  t.is(fds.length, 253);
  fds.forEach(fdpass.close);
  t.is(openDescriptors(), before);
  t.throws(() => fdpass.send(left, Buffer.from("x"), Array<number>(254).fill(left)), { code: "EINVAL" });
  t.throws(() => fdpass.send(left, Buffer.alloc(0), [left]), { code: "EINVAL" });
  for (const fd of [left, right]) fdpass.close(fd);
});

test.serial("a watch that ended holds nothing", async (t) => {
  const [left, right] = fdpass.socketpair();
  const before = openDescriptors();
  fdpass.send(left, Buffer.from("x"), []);
  await readable(right);
  await turn();
  t.is(openDescriptors(), before);
  const stop = fdpass.watchReadable(right, () => {});
  t.is(openDescriptors(), before + 1);
  stop();
  stop();
  await turn();
  t.is(openDescriptors(), before);
  for (const fd of [left, right]) fdpass.close(fd);
});

test.serial("one descriptor takes two watches", async (t) => {
  const [left, right] = fdpass.socketpair();
  const both = Promise.all([readable(right), readable(right)]);
  fdpass.send(left, Buffer.from("x"), []);
  await t.notThrowsAsync(both);
  for (const fd of [left, right]) fdpass.close(fd);
});

test.serial("bytes that do not fit the limit stay for the next call", (t) => {
  const [left, right] = fdpass.socketpair();
  fdpass.send(left, Buffer.from("abc"), []);
  t.is(fdpass.receive(right, 2, 0)?.bytes.toString(), "ab");
  t.is(fdpass.receive(right, 2, 0)?.bytes.toString(), "c");
  for (const fd of [left, right]) fdpass.close(fd);
});

test.serial("a socket with nothing to give or no room to take says undefined", (t) => {
  const [left, right] = fdpass.socketpair();
  t.is(fdpass.receive(right, 100, 0), undefined);
  const chunk = Buffer.alloc(1 << 20);
  let sent: number | undefined = 0;
  for (let tries = 0; sent !== undefined && tries < 100; tries++) sent = fdpass.send(left, chunk, []);
  t.is(sent, undefined);
  for (const fd of [left, right]) fdpass.close(fd);
});

test.serial("the end of the stream wakes a watch and reads as no bytes", async (t) => {
  const [left, right] = fdpass.socketpair();
  const woken = readable(right);
  fdpass.close(left);
  await woken;
  t.is(fdpass.receive(right, 100, 0)?.bytes.length, 0);
  t.throws(() => fdpass.send(right, Buffer.from("x"), []), { code: "EPIPE" });
  fdpass.close(right);
});

test.serial("a client reaches a listener, and each knows who the other is", async (t) => {
  const path = join(directory, "listener");
  const listener = fdpass.listenUnix(path);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is(fdpass.accept(listener), undefined);
  const client = fdpass.connectUnix(path);
  await readable(listener);
  const server = fdpass.accept(listener);
  if (server === undefined) return t.fail("no connection");
  const us = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  t.deepEqual<unknown, unknown>({ ...fdpass.peerCredentials(server) }, us);
  t.deepEqual<unknown, unknown>({ ...fdpass.peerCredentials(client) }, us);
  fdpass.send(client, Buffer.from("hi"), []);
  t.is(fdpass.receive(server, 10, 0)?.bytes.toString(), "hi");
  for (const fd of [client, server, listener]) fdpass.close(fd);
});

test.serial("errors carry the errno's name and the call", (t) => {
  const before = openDescriptors();
  const stale = join(directory, "stale");
  fdpass.close(fdpass.listenUnix(stale));
  const failure = t.throws(() => fdpass.connectUnix(stale), {
    code: "ECONNREFUSED",
    message: `connect ${stale}: connection refused`,
  });
  t.is((failure as NodeJS.ErrnoException | undefined)?.syscall, "connect");
  t.throws(() => fdpass.listenUnix(stale), { code: "EADDRINUSE" });
  t.throws(() => fdpass.connectUnix(join(directory, "none")), { code: "ENOENT" });
  const long = join(directory, "x".repeat(108 - directory.length - 1));
  t.is(long.length, 108);
  t.throws(() => fdpass.listenUnix(long), { code: "ENAMETOOLONG", message: /107 bytes/ });
  fdpass.close(fdpass.listenUnix(long.slice(0, 107)));
  t.throws(() => fdpass.connectUnix("nul\0byte"), { code: "EINVAL" });
  t.throws(() => fdpass.close(987_654), { code: "EBADF" });
  t.throws(() => fdpass.watchReadable(987_654, () => {}), { code: "EBADF" });
  t.is(openDescriptors(), before);
});

test.serial("arguments of the wrong kind throw a TypeError and leave the process alone", (t) => {
  const wrong = fdpass as unknown as Record<string, (...values: unknown[]) => unknown>;
  const [left, right] = fdpass.socketpair();
  for (const value of [undefined, null, -1, 1.5, Number.NaN, 2 ** 31, "0", {}]) {
    t.throws(() => wrong.receive?.(value, 1, 1), { instanceOf: TypeError });
    t.throws(() => wrong.close?.(value), { instanceOf: TypeError });
  }
  t.throws(() => wrong.send?.(left, "text", []), { instanceOf: TypeError });
  t.throws(() => wrong.send?.(left, new Uint16Array(1), []), { instanceOf: TypeError });
  t.throws(() => wrong.send?.(left, Buffer.from("x"), ["0"]), { instanceOf: TypeError });
  t.throws(() => fdpass.receive(right, 0, 0), { code: "EINVAL" });
  t.throws(() => wrong.listenUnix?.(7), { instanceOf: TypeError });
  t.throws(() => wrong.watchReadable?.(left, 7), { instanceOf: TypeError });
  t.true(readlinkSync(`/proc/self/fd/${left}`).startsWith("socket:"));
  for (const fd of [left, right]) closeSync(fd);
});
