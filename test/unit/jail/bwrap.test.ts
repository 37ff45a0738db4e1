import test from "ava";
import { jailArgv } from "../../../src/jail/bwrap.ts";
import type { ProcessPlan } from "../../../src/jail/process-plan.ts";

const host = { bwrap: "/usr/bin/bwrap", runtimeRoot: "/store/runtime", nativeDirectory: "/lib/cloche" };
const plan: ProcessPlan = {
  name: "x",
  argv: ["prog", "--flag", "a b; rm"],
  binds: [
    { source: "/data/share", target: "/share", access: "ro" },
    { source: "/run/d", target: "/run/link", access: "rw" },
  ],
  network: "none",
};
const after = (argv: string[], option: string) => argv.slice(argv.indexOf(option) + 1);

test("the root is the runtime, read-only", (t) => {
  t.deepEqual(after(jailArgv(plan, host), "--ro-bind").slice(0, 2), ["/store/runtime", "/"]);
});

test("every namespace is its own, and the network is too", (t) => {
  const argv = jailArgv(plan, host);
  t.true(argv.includes("--unshare-all"));
  t.false(argv.includes("--share-net"));
  t.true(argv.includes("--die-with-parent"));
  t.deepEqual(after(argv, "--cap-drop").slice(0, 1), ["ALL"]);
});

test("only the process that is the way out has the host's network", (t) => {
  t.true(jailArgv({ ...plan, network: "host" }, host).includes("--share-net"));
});

test("a bind has the access that the plan says", (t) => {
  const argv = jailArgv(plan, host);
  const at = argv.indexOf("/data/share");
  t.deepEqual(argv.slice(at - 1, at + 2), ["--ro-bind", "/data/share", "/share"]);
  t.is(argv[argv.indexOf("/run/d") - 1], "--bind");
});

test("the program's arguments stand as they are behind --", (t) => {
  t.deepEqual(after(jailArgv(plan, host), "--"), ["prog", "--flag", "a b; rm"]);
});

test("nothing of our environment goes in", (t) => {
  t.true(jailArgv(plan, host).includes("--clearenv"));
});

test("empty directories are made before /run is closed, and /sys only where something is wanted there", (t) => {
  t.false(jailArgv(plan, host).includes("/sys"));
  const argv = jailArgv({ ...plan, emptyDirectories: ["/run/empty", "/sys/devices"] }, host);
  const words = argv.join(" ");
  t.regex(words, /--tmpfs \/sys --dir \/run\/empty --dir \/sys\/devices --remount-ro \/sys --remount-ro \/run /);
});
