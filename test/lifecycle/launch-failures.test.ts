import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { nativeDirectory } from "../../src/paths.ts";
import { failingLaunch, useHome, warmUp } from "./failing-launch.ts";

const home = await useHome();
test.after.always(() => home.remove());

test.before(warmUp);

test.serial("a monitor that exits at once is named with its last words", async (t) => {
  const error = await failingLaunch(t, "exit-early");
  t.like(error, { code: "monitor-failed", stage: "monitor" });
  t.is(error.message, "qemu ended with status 1: qemu-system-x86_64: could not load kernel");
});

test.serial("a monitor that crashes is named with its signal", async (t) => {
  const error = await failingLaunch(t, "killed");
  t.like(error, { code: "monitor-failed", stage: "monitor" });
  t.regex(error.message, /^qemu ended (by SIGSEGV|with status 139)/);
});

test.serial("a monitor that never answers its control socket is given up at the deadline", async (t) => {
  const error = await failingLaunch(t, "no-greeting");
  t.like(error, { code: "monitor-failed", stage: "monitor" });
  t.regex(error.message, /did not answer its greeting in 10 s/);
});

test.serial("a monitor that does not speak QMP has broken the protocol", async (t) => {
  t.like(await failingLaunch(t, "bad-qmp"), { code: "protocol", stage: "monitor" });
});

test.serial("a monitor that exits after its greeting has failed", async (t) => {
  t.like(await failingLaunch(t, "exit-after-greeting"), { code: "monitor-failed", stage: "monitor" });
});

test.serial("a kernel panic is told by its own line, with the console's last lines, made printable", async (t) => {
  const error = await failingLaunch(t, "panic");
  t.like(error, { code: "kernel-panic", stage: "boot" });
  t.regex(error.message, /Kernel panic - not syncing: VFS: Unable to mount root fs/);
  t.is(error.console.at(-1), "ends");
});

test.serial("what the guest's agent says on the console before it has a link is told", async (t) => {
  const error = await failingLaunch(t, "guest-failure");
  t.like(error, { code: "agent-failed", stage: "boot" });
  t.is(error.message, "in the guest: root: no disk after 5 s");
});

test.serial("an agent that never says hello is given up at the deadline", async (t) => {
  const error = await failingLaunch(t, "silent-guest", { helloTimeoutMs: 500 });
  t.like(error, { code: "agent-timeout", stage: "boot" });
});

test.serial("a guest that floods its console changes nothing but its own log", async (t) => {
  const before = process.memoryUsage().rss;
  const error = await failingLaunch(t, "flood", { helloTimeoutMs: 1500 });
  t.like(error, { code: "agent-timeout" });
  t.true(process.memoryUsage().rss - before < 200 * 2 ** 20);
});

test.serial("a helper that cannot start is named, before the monitor is started", async (t) => {
  const directory = join(home.path, "native");
  await mkdir(directory);
  for (const part of ["cloche-lens", "cloche-guest"])
    await copyFile(join(nativeDirectory(), part), join(directory, part)).catch(() => {});
  await writeFile(join(directory, "vhost-device-vsock"), "#!/usr/bin/busybox sh\necho 'no such option' >&2\nexit 2\n");
  await chmod(join(directory, "vhost-device-vsock"), 0o755);
  const error = await failingLaunch(t, "silent-guest", { nativeDirectory: directory });
  t.like(error, { code: "helper-failed", stage: "helpers", message: "vsock ended with status 2: no such option" });
});

for (const afterMs of [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]) {
  test.serial(`giving up after ${afterMs} ms leaves nothing`, async (t) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), afterMs);
    t.like(await failingLaunch(t, "silent-guest", { signal: abort.signal, helloTimeoutMs: 60_000 }), {
      code: "interrupted",
    });
  });
}
