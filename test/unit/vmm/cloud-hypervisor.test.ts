import test from "ava";
import { cloudHypervisor } from "../../../src/vmm/cloud-hypervisor.ts";
import type { MonitorSockets } from "../../../src/vmm/contract.ts";
import type { MachineSpec } from "../../../src/vmm/machine-spec.ts";
import { display, hostWithKvm, hostWithoutKvm, sockets, spec } from "../../support/monitors.ts";

const plan = (changes: Partial<MachineSpec> = {}, moreSockets: Partial<MonitorSockets> = {}) =>
  cloudHypervisor.plan({ ...spec, ...changes }, hostWithKvm, { ...sockets, ...moreSockets });
const argv = (...args: Parameters<typeof plan>) => plan(...args).process.argv;
/** What stands behind an option, up to the next one. */
const valuesOf = (words: readonly string[], option: string) => {
  const rest = words.slice(words.indexOf(option) + 1);
  const end = rest.findIndex((word) => word.startsWith("--"));
  return words.includes(option) ? rest.slice(0, end < 0 ? undefined : end) : [];
};

test("it confines itself, whatever is asked for", (t) => {
  for (const words of [argv(), argv({ network: "internet", shares: [] }, { network: "/run/net/passt", display })]) {
    t.deepEqual(valuesOf(words, "--seccomp"), ["true"]);
    t.true(words.includes("--landlock"));
    t.deepEqual(valuesOf(words, "--landlock-rules"), ["path=/run/monitor,access=rw"]);
  }
});

test("the guest's memory is shared, and the root raw and read-only by explicit format", (t) => {
  t.deepEqual(valuesOf(argv(), "--memory"), ["size=512M,shared=on"]);
  t.regex(valuesOf(argv(), "--disk")[0] ?? "", /^path=\/run\/image\/root,readonly=on,image_type=raw,/);
});

test("the console is its standard output, and there is no second one", (t) => {
  t.deepEqual(valuesOf(argv(), "--serial"), ["tty"]);
  t.deepEqual(valuesOf(argv(), "--console"), ["off"]);
});

test("the link is its own, at the path that the supervisor connects to", (t) => {
  t.true(cloudHypervisor.own.link);
  t.deepEqual(valuesOf(argv(), "--vsock"), ["cid=3,socket=/run/link/vsock"]);
});

test("every share is a device, and none is no option", (t) => {
  const shares = ["home", "share0"].map((tag) => ({ tag, directory: "/d", readOnly: true, mountPoint: "/m" }));
  const words = argv({ shares }, { shares: { home: "/run/files/home", share0: "/run/files/share0" } });
  t.deepEqual(
    valuesOf(words, "--fs").map((value) => value.split(",").slice(0, 2).join(",")),
    ["tag=home,socket=/run/files/home", "tag=share0,socket=/run/files/share0"],
  );
  t.false(argv({ shares: [] }).includes("--fs"));
  t.like(
    t.throws(() => plan({}, { shares: {} })),
    { code: "unsupported" },
  );
});

test("network and windows are devices of other processes, where they are wanted", (t) => {
  t.false(argv().includes("--net"));
  t.false(argv().includes("--user-device"));
  const words = argv({}, { network: "/run/net/passt", display });
  t.deepEqual(valuesOf(words, "--net"), ["vhost_user=on,socket=/run/net/passt"]);
  t.deepEqual(valuesOf(words, "--user-device"), ["socket=/run/gpu/device"]);
});

test("the program comes from the host, beside KVM and the image's three files", (t) => {
  t.deepEqual(
    plan().process.binds.map(({ source, access }) => `${access} ${source}`),
    ["ro /usr/bin/cloud-hypervisor", "ro /store/kernel", "ro /store/initrd", "ro /store/root", "device /dev/kvm"],
  );
});

test("without KVM it lacks something, and nothing is planned", (t) => {
  t.regex(cloudHypervisor.lack(hostWithoutKvm, { hasWindows: true })?.reason ?? "", /only with KVM/);
  const error = t.throws(() => cloudHypervisor.plan(spec, hostWithoutKvm, sockets));
  t.like(error, { code: "unsupported" });
});
