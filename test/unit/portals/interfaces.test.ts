import { readFile } from "node:fs/promises";
import test from "ava";
import { portals } from "../../../portals/interfaces.ts";
import { packagePath } from "../../../src/paths.ts";

test("the documented table is what the broker offers", async (t) => {
  const text = await readFile(packagePath("docs", "portals.md"), "utf8");
  const rows = [...text.matchAll(/^\| (\w+) \| (\d+) \| ([a-z-]+) \| (free|dialog|ask) \|/gm)].map((row) =>
    row.slice(1, 5),
  );
  const offered = portals.map(({ name, version, permission, consent }) => [
    name.split(".").at(-1),
    String(version),
    permission,
    consent,
  ]);
  t.deepEqual(rows, offered);
});
