import test from "ava";
import { launchGuest, runIn, shellIn, startIn, useFreshDirectories } from "./guest.ts";

const directories = await useFreshDirectories();
const guest = await launchGuest("foot");
test.after.always(async () => {
  await guest.stop(3000);
  await directories.remove();
});

test("the agent is process 1, and an application's user is no one special", async (t) => {
  t.is(await shellIn(guest, "readlink /proc/1/exe", "root"), "/init (deleted)");
  t.is(await shellIn(guest, "id -u; id -un; echo $HOME"), "1000\nuser\n/home/user");
  t.is(await shellIn(guest, "id -u", "root"), "0");
});

test("the root is read-only below, and what is written to it is in memory", async (t) => {
  t.regex(await shellIn(guest, "grep ' / ' /proc/mounts"), /^\S+ \/ overlay /);
  t.is(await shellIn(guest, "touch /etc/probe && echo written", "root"), "written");
  const outcome = await runIn(guest, ["sh", "-c", "dd if=/dev/zero of=/dev/vda count=1"], { user: "root" });
  t.not(outcome.code, 0);
});

test("the session bus answers", async (t) => {
  const call = "dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId";
  t.regex(await shellIn(guest, `${call} 2>&1`), /string "[0-9a-f]{32}"/);
});

test("without a network there is only the loopback interface", async (t) => {
  t.is(await shellIn(guest, "ls /sys/class/net"), "lo");
});

test("a command that does not exist is told as such", async (t) => {
  t.like(await t.throwsAsync(runIn(guest, ["no-such-command"])), { code: "cannot-execute", cause: "ENOENT" });
  t.like(await t.throwsAsync(runIn(guest, ["/etc/passwd"])), { code: "cannot-execute", cause: "EACCES" });
});

test("a terminal is a real one, with a size that follows", async (t) => {
  const tty = { columns: 91, rows: 31, term: "xterm-256color" };
  const script = "tty; stty size; trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.1; done";
  const { session, texts } = await startIn(guest, ["bash", "-c", script], { tty });
  while (!texts().stdout.includes("up")) await new Promise((resolve) => setTimeout(resolve, 20));
  session.resize(120, 40);
  t.like(await session.exited, { code: 0 });
  t.regex(texts().stdout, /^\/dev\/pts\/\d+\r\n31 91\r\nup\r\n40 120\r\n$/);
});

test("environment, directory and user are as asked", async (t) => {
  const outcome = await runIn(guest, ["sh", "-c", "echo $GREETING; pwd; id -u"], {
    environment: { GREETING: "hello world" },
    cwd: "/tmp",
    user: "root",
  });
  t.is(outcome.stdout, "hello world\n/tmp\n0\n");
});

test("a session that hangs up ends its command", async (t) => {
  const { session, texts } = await startIn(guest, ["sh", "-c", "echo $$; exec sleep 1000"]);
  while (!texts().stdout.includes("\n")) await new Promise((resolve) => setTimeout(resolve, 20));
  const pid = texts().stdout.trim();
  session.close();
  await session.exited.catch(() => {});
  t.is(
    await shellIn(guest, `for i in $(seq 50); do kill -0 ${pid} 2>/dev/null || { echo gone; break; }; sleep 0.1; done`),
    "gone",
  );
});
