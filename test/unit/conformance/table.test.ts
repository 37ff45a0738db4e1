import { readFile } from "node:fs/promises";
import test from "ava";
import { packagePath } from "../../../src/paths.ts";
import { renderTable } from "../../conformance/table.ts";

test("the documented table is what the conformance tests expect", async (t) => {
  const text = await readFile(packagePath("docs", "conformance.md"), "utf8");
  t.is(text.slice(text.indexOf("| interface |")), renderTable());
});
