import test from "ava";
import type { MonitorAccess, MonitorSockets } from "../../../src/vmm/contract.ts";
import { crosvm } from "../../../src/vmm/crosvm.ts";
import type { MachineSpec } from "../../../src/vmm/machine-spec.ts";
import { display, hostWithKvm, hostWithoutKvm, sockets, spec } from "../../support/monitors.ts";

const plan = (changes: Partial<MachineSpec> = {}, moreSockets: Partial<MonitorSockets> = {}) =>
  crosvm.plan({ ...spec, ...changes }, hostWithKvm, { ...sockets, ...moreSockets });
const argv = (...args: Parameters<typeof plan>) => plan(...args).process.argv;
const valuesOf = (words: readonly string[], option: string) =>
  words.flatMap((word, index) => (word === option ? [words[index + 1]] : []));

test("its own sandbox stays on, with an empty root, and is off only where it was asked for", (t) => {
  t.false(argv().includes("--disable-sandbox"));
  const [root] = valuesOf(argv(), "--pivot-root");
  t.true(plan().process.emptyDirectories?.includes(root ?? ""));
  t.is(plan().accelerator, "KVM");
  t.true(argv({ withoutCrosvmSandbox: true }).includes("--disable-sandbox"));
  t.is(plan({ withoutCrosvmSandbox: true }).accelerator, "KVM, without crosvm's own sandbox");
});

test("the root is read-only", (t) => {
  t.deepEqual(valuesOf(argv(), "--block"), ["path=/run/image/root,ro=true,id=root"]);
});

test("the back ends get queues that they can take", (t) => {
  t.deepEqual(valuesOf(argv({ network: "internet" }, { network: "/run/net/passt" }), "--vhost-user"), [
    "vsock,socket=/run/link/vhost,max-queue-size=256",
    "fs,socket=/run/files/home,max-queue-size=1024",
    "net,socket=/run/net/passt,max-queue-size=256",
  ]);
});

test("windows go to the lens, and no other context is offered", (t) => {
  const words = argv({}, { display });
  t.deepEqual(valuesOf(words, "--wayland-sock"), ["/run/display/wayland"]);
  t.regex(valuesOf(words, "--gpu")[0] ?? "", /^context-types=cross-domain,/);
  t.false(argv().some((word) => word === "--gpu" || word === "--wayland-sock"));
});

test("guests get no virtualisation of their own where this build can keep it from them", (t) => {
  t.deepEqual(valuesOf(argv(), "--nested"), ["mode=off"]);
  const { crosvm: found } = hostWithKvm.installed;
  if (!found?.usable) return t.fail();
  const host = { ...hostWithKvm, installed: { crosvm: { ...found, options: [] } } };
  t.false(crosvm.plan(spec, host, sockets).process.argv.includes("--nested"));
});

test("windows take an ordinary user with enough open files; without its sandbox they do not", (t) => {
  const lack = (changes: object, needs: object) =>
    crosvm.lack(
      { ...hostWithKvm, supervisor: { ...hostWithKvm.supervisor, ...changes } },
      { hasWindows: true, ...needs },
    );
  t.is(lack({}, {}), undefined);
  t.regex(lack({ isRoot: true }, {})?.reason ?? "", /root/);
  t.regex(lack({ maxOpenFiles: 4096 }, {})?.reason ?? "", /4096 open files/);
  t.is(lack({ isRoot: true, maxOpenFiles: 4096 }, { hasWindows: false }), undefined);
  t.is(lack({ isRoot: true, maxOpenFiles: 4096 }, { withoutCrosvmSandbox: true }), undefined);
});

test("without KVM it lacks something, and nothing is planned", (t) => {
  t.regex(crosvm.lack(hostWithoutKvm, { hasWindows: false })?.reason ?? "", /only with KVM/);
  t.like(
    t.throws(() => crosvm.plan(spec, hostWithoutKvm, sockets)),
    { code: "unsupported" },
  );
});

test("commands are its own subcommands, in a jail that has its program and nothing of the image", async (t) => {
  const { commander } = plan();
  t.deepEqual(
    commander?.binds.map(({ target }) => target),
    ["/run/program/bin/crosvm", "/run/program/loader", "/run/program/lib/libc.so.6"],
  );
  const asked: string[] = [];
  const access: MonitorAccess = {
    stream: undefined,
    directory: "/nowhere",
    signal: new AbortController().signal,
    command: async (args) => void asked.push(args.join(" ")),
  };
  const control = await crosvm.control(access);
  await control.pause();
  await control.resume();
  await control.powerDown();
  await control.quit();
  t.deepEqual(
    asked,
    ["suspend", "resume", "powerbtn", "stop"].map((word) => `${word} /run/monitor/control`),
  );
});
