import test from "ava";
import { layOut } from "../../../src/instance/directory.ts";
import { planInstance } from "../../../src/instance/plan.ts";
import type { Bind } from "../../../src/jail/process-plan.ts";
import { cloudHypervisor } from "../../../src/vmm/cloud-hypervisor.ts";
import type { MonitorDriver } from "../../../src/vmm/contract.ts";
import { crosvm } from "../../../src/vmm/crosvm.ts";
import { qemu } from "../../../src/vmm/qemu.ts";
import { hostWithKvm, spec } from "../../support/monitors.ts";

process.env.XDG_RUNTIME_DIR = "/run/user/1000";
const directory = layOut(spec.id);
const display = { compositor: "/run/user/1000/wayland-0", clipboard: "none" } as const;
const planWith = (driver: MonitorDriver, request: typeof display | undefined = display) =>
  planInstance({ ...spec, network: "internet" }, request, directory, driver, hostWithKvm);
const names = (driver: MonitorDriver) => planWith(driver).helpers.map(({ name }) => name);
const accesses = (binds: readonly Bind[]) =>
  Object.fromEntries(
    binds.flatMap(({ source, target, access }) => (source.startsWith(directory.path) ? [[target, access]] : [])),
  );

test("a monitor gets helpers for what it does not have itself", (t) => {
  t.deepEqual(names(qemu), ["vsock", "share-home", "network", "lens", "gpu"]);
  t.deepEqual(names(cloudHypervisor), ["share-home", "network", "lens", "gpu"]);
  t.deepEqual(names(crosvm), ["vsock", "share-home", "network", "lens"]);
});

test("of an instance's directory a monitor writes only where it has sockets of its own", (t) => {
  const others = { "/run/files": "ro", "/run/net": "ro" };
  t.deepEqual(accesses(planWith(qemu).monitor.process.binds), {
    ...{ "/run/monitor": "rw", "/run/link": "ro", "/run/gpu": "ro", ...others },
  });
  t.deepEqual(accesses(planWith(cloudHypervisor).monitor.process.binds), {
    ...{ "/run/monitor": "rw", "/run/link": "rw", "/run/gpu": "ro", ...others },
  });
  t.deepEqual(accesses(planWith(crosvm).monitor.process.binds), {
    ...{ "/run/monitor": "rw", "/run/link": "ro", "/run/display": "ro", ...others },
  });
});

test("only a monitor with a display of its own sees the lens, and none the compositor", (t) => {
  for (const driver of [qemu, cloudHypervisor, crosvm]) {
    const binds = planWith(driver).monitor.process.binds;
    t.false(binds.some(({ source }) => source === display.compositor));
    t.is(
      binds.some(({ target }) => target === "/run/display"),
      driver === crosvm,
    );
  }
});

test("without windows there is neither lens nor device", (t) => {
  for (const driver of [qemu, cloudHypervisor, crosvm]) {
    const { helpers, monitor } = planInstance(spec, undefined, directory, driver, hostWithKvm);
    t.false(helpers.some(({ name }) => name === "lens" || name === "gpu"));
    t.false(monitor.process.binds.some(({ target }) => target === "/run/display" || target === "/run/gpu"));
  }
});

test("the sender of a monitor's commands sees the monitor's sockets, and no one else's", (t) => {
  const { commander } = planWith(crosvm).monitor;
  t.deepEqual(accesses(commander?.binds ?? []), { "/run/monitor": "ro" });
});
