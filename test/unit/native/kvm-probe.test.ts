// The KVM probe on devices that are none.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { probeKvm } from "../../../native/bindings/index.ts";

const directory = mkdtempSync(join(tmpdir(), "cloche-kvm-"));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();

test.serial("a device that is missing, another, or a directory is unusable, in words", async (t) => {
  const missing = await probeKvm(join(directory, "none"), 1000);
  t.false(missing.usable);
  t.regex(missing.reason, /^there is no .*none: .*module kvm/);
  t.deepEqual(await probeKvm("/dev/null", 1000), { usable: false, reason: "/dev/null opens, but is not KVM's device" });
  t.deepEqual(await probeKvm("/dev", 1000), { usable: false, reason: "/dev does not open: Is a directory" });
});

test.serial("a FIFO in the device's place holds nothing up", async (t) => {
  const path = join(directory, "fifo");
  await promisify(execFile)("mkfifo", [path]);
  t.deepEqual(await probeKvm(path, 1000), { usable: false, reason: `${path} opens, but is not KVM's device` });
});

test.serial("at the deadline the probe settles", async (t) => {
  const { usable, reason } = await probeKvm("/dev/null", 0);
  t.false(usable);
  t.regex(reason, /did not answer in 0 ms|is not KVM's device/);
});

test.serial("a device of another's says which group may use it and how to join", async (t) => {
  const path = join(directory, "forbidden");
  closeSync(openSync(path, "w"));
  chmodSync(path, 0o000);
  chmodSync(directory, 0o755);
  // Root may open anything, so another does it; the addon is loaded before, while its path can surely be read.
  const index = fileURLToPath(new URL("../../../native/bindings/index.ts", import.meta.url));
  const script = `
    const { probeKvm, processStartTime } = await import(${JSON.stringify(index)});
    processStartTime(process.pid);
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
    console.log(JSON.stringify(await probeKvm(${JSON.stringify(path)}, 2000)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  const { usable, reason } = JSON.parse(stdout) as { usable: boolean; reason: string };
  t.false(usable);
  t.regex(reason, /^you may not open .*forbidden.*usermod -aG kvm/);
});

test.serial("a real device gives a verdict in time, with a reason", async (t) => {
  const started = performance.now();
  const { usable, reason } = await probeKvm("/dev/kvm", 800);
  t.log(`usable: ${usable}: ${reason}`);
  t.regex(reason, usable ? /ran 6,000,000 guest instructions in \d+ ms$/ : /./);
  if (process.env.CLOCHE_REQUIRE?.split(",").includes("kvm")) t.true(usable);
  t.true(performance.now() - started < 5000);
});

test.serial("probes leave no process and no descriptor, and other children are still waited for", async (t) => {
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const before = { children: children(), descriptors: descriptors() };
  const child = spawn("true");
  const exited = once(child, "close");
  await Promise.all(["/dev/kvm", "/dev/null", join(directory, "none")].map((device) => probeKvm(device, 800)));
  await probeKvm("/dev/kvm", 1);
  t.deepEqual(await exited, [0, null]);
  t.deepEqual({ children: children(), descriptors: descriptors() }, before);
});
