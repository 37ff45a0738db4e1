import { readFile } from "node:fs/promises";
import test from "ava";
import { packagePath } from "../../../src/paths.ts";
import { requirements } from "../../../src/vmm/requirements.ts";
import { drivers } from "../../../src/vmm/select.ts";
import { renderMonitorTable } from "../../support/monitor-table.ts";

test("the documented table is what the drivers declare", async (t) => {
  const text = await readFile(packagePath("docs", "monitors.md"), "utf8");
  const [table] = /^\| {2,}\|.*?\n(?=\n)/ms.exec(text) ?? [];
  t.is(table?.trimEnd(), renderMonitorTable());
});

test("the documented sources name the variables and the oldest versions that are asked for", (t) => {
  for (const { name, features } of drivers) {
    if (name === "qemu") continue;
    const { variable, minimum } = requirements[name];
    t.true(features.source.includes(`\`${variable}\``), name);
    if (minimum > 0) t.true(features.source.includes(` ${minimum} or newer`), name);
  }
});
