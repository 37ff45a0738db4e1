import test from "ava";
import type { MachineSpec } from "../../../src/vmm/machine-spec.ts";
import { qemu } from "../../../src/vmm/qemu.ts";
import { hostWithKvm, hostWithoutKvm, sockets, spec } from "../../support/monitors.ts";

const argv = (changes: Partial<MachineSpec> = {}, host = hostWithoutKvm) =>
  qemu.plan({ ...spec, ...changes }, host, sockets).process.argv;

test("without KVM it is TCG, and says so", (t) => {
  const plan = qemu.plan(spec, hostWithoutKvm, sockets);
  t.is(plan.accelerator, "TCG (compatibility mode)");
  t.true(plan.process.argv.includes("tcg,thread=multi"));
  t.false(plan.process.binds.some(({ source }) => source === "/dev/kvm"));
});

test("with KVM its device is all that the jail shows more", (t) => {
  const plan = qemu.plan(spec, hostWithKvm, sockets);
  t.is(plan.accelerator, "KVM");
  t.deepEqual(plan.process.binds.at(-1), { source: "/dev/kvm", target: "/dev/kvm", access: "device" });
});

test("the guest's memory is a shared memfd", (t) => {
  t.true(argv().includes("memory-backend-memfd,id=ram,size=512M,share=on"));
});

test("the root is raw and read-only by explicit format", (t) => {
  const drive = argv().find((argument) => argument.includes("node-name=root"));
  t.regex(drive ?? "", /^driver=raw,.*read-only=on/);
});

test("no network is no device, and internet is one behind passt", (t) => {
  t.false(argv().some((argument) => argument.includes("netdev")));
  const plan = qemu.plan({ ...spec, network: "internet" }, hostWithoutKvm, { ...sockets, network: "/run/net/passt" });
  t.true(plan.process.argv.includes("socket,id=net,path=/run/net/passt"));
});

test("with KVM the guest gets no virtualisation of its own", (t) => {
  t.true(argv({}, hostWithKvm).includes("host,vmx=off,svm=off"));
});

test("windows are a vfio-user device at the socket of Cloche's own", (t) => {
  const display = { device: "/run/gpu/device", wayland: "/run/display/wayland" };
  const plan = qemu.plan(spec, hostWithoutKvm, { ...sockets, display });
  t.true(plan.process.argv.includes('{"driver":"vfio-user-pci","socket":{"type":"unix","path":"/run/gpu/device"}}'));
  t.false(argv().some((argument) => argument.includes("vfio-user")));
});

test("what the monitor cannot do is refused before anything runs", (t) => {
  t.like(
    t.throws(() => argv({ cpus: 65 })),
    { code: "unsupported" },
  );
});

test("nothing of the monitor comes from the host's configuration", (t) => {
  t.true(argv().includes("-nodefaults"));
  t.true(argv().includes("-no-user-config"));
});
