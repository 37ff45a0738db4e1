import test from "ava";
import { judgeImport } from "../../check/layers.ts";

test("an import may point down or stay in its folder", (t) => {
  t.is(judgeImport("src/cli/main.ts", "../instance/launch.ts"), undefined);
  t.is(judgeImport("src/link/exec.ts", "./frame.ts"), undefined);
  t.is(judgeImport("src/vmm/qemu.ts", "../errors.ts"), undefined);
});

test("an import that points up or sideways is found", (t) => {
  t.truthy(judgeImport("src/vmm/qemu.ts", "../instance/plan.ts"));
  t.truthy(judgeImport("src/errors.ts", "./app/catalogue.ts"));
  t.truthy(judgeImport("portals/request.ts", "../src/instance/plan.ts"));
});

test("portals and vmm know nothing of one another", (t) => {
  t.truthy(judgeImport("portals/request.ts", "../src/vmm/contract.ts"));
  t.truthy(judgeImport("src/vmm/qemu.ts", "../../portals/request.ts"));
});

test("one file imports dbus-next", (t) => {
  t.is(judgeImport("portals/dbus-library.ts", "dbus-next"), undefined);
  t.truthy(judgeImport("portals/bus.ts", "dbus-next"));
});
