import test from "ava";
import { run } from "../../../src/cli/commands/run.ts";
import type { HostFacts } from "../../../src/vmm/contract.ts";
import { monitorChoices, selectMonitor } from "../../../src/vmm/select.ts";
import { hostWithKvm, hostWithoutKvm } from "../../support/monitors.ts";

const select = (monitor: string, host: HostFacts, more: object = {}) =>
  selectMonitor({ monitor, hasWindows: true, ...more }, host);
const missing = { usable: false, isInstalled: false, reason: "it is not on PATH", hint: "Install it." } as const;

test("with KVM cloud-hypervisor is taken where it is, and the reason says why", (t) => {
  const { driver, reason } = select("auto", hostWithKvm);
  t.is(driver.name, "cloud-hypervisor");
  t.regex(reason, /^cloud-hypervisor 53\.0 with KVM: it has the fewest devices/);
});

test("with KVM QEMU is taken where cloud-hypervisor is not, and the reason says why", (t) => {
  const { driver, reason } = select("auto", { ...hostWithKvm, installed: { "cloud-hypervisor": missing } });
  t.is(driver.name, "qemu");
  t.is(reason, "qemu with KVM: it comes with Cloche; not cloud-hypervisor: it is not on PATH");
});

test("cloud-hypervisor is never taken without Landlock", (t) => {
  const host = { ...hostWithKvm, landlockLack: "its Landlock confinement is switched off in this kernel" };
  t.regex(select("auto", host).reason, /^qemu with KVM.*switched off in this kernel$/);
  t.like(
    t.throws(() => select("cloud-hypervisor", host)),
    { code: "unsupported" },
  );
});

test("crosvm is taken only by name", (t) => {
  const { crosvm } = hostWithKvm.installed;
  t.is(select("auto", { ...hostWithKvm, installed: { ...(crosvm && { crosvm }) } }).driver.name, "qemu");
  t.is(select("crosvm", hostWithKvm).reason, "crosvm 0.1.0 with KVM, as asked for");
});

test("without KVM it is QEMU, in compatibility mode, with the reason of the host", (t) => {
  for (const monitor of ["auto", "qemu"]) {
    const { driver, reason } = select(monitor, hostWithoutKvm);
    t.is(driver.name, "qemu");
    t.is(reason, "qemu without KVM, in compatibility mode: no such device");
  }
});

for (const name of ["cloud-hypervisor", "crosvm"]) {
  test(`${name} by name without KVM is refused with the reason and what to do`, (t) => {
    const error = t.throws(() => select(name, hostWithoutKvm));
    t.like(error, { code: "unsupported", hint: "QEMU runs without KVM, in compatibility mode: --vmm qemu." });
    t.regex(error?.message ?? "", /runs only with KVM.*no such device/);
  });

  test(`${name} by name is refused where it is not installed`, (t) => {
    const error = t.throws(() => select(name, { ...hostWithKvm, installed: { [name]: missing } }));
    t.like(error, { code: "unsupported", hint: "Install it." });
    t.is(error?.message, `${name} cannot be used: it is not on PATH`);
  });
}

test("crosvm without its sandbox is said at length, and refused for any other monitor", (t) => {
  const { reason } = select("crosvm", hostWithKvm, { withoutCrosvmSandbox: true });
  t.regex(reason, /a guest that takes over one of them has the whole monitor/);
  t.like(
    t.throws(() => select("auto", hostWithKvm, { withoutCrosvmSandbox: true })),
    { code: "usage" },
  );
});

test("an unknown monitor is refused with the known ones", (t) => {
  const error = t.throws(() => select("bochs", hostWithKvm));
  t.like(error, { code: "unsupported", hint: `Known: ${monitorChoices.join(", ")}.` });
});

test("the command line offers the monitors that there are", (t) => {
  t.deepEqual(run.options.vmm.choices, monitorChoices);
});
