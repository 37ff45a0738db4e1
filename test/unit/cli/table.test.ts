import test from "ava";
import { formatBytes, formatMib, formatMs, formatUptime } from "../../../src/cli/amounts.ts";
import { colourStyle } from "../../../src/cli/style.ts";
import { renderTable } from "../../../src/cli/table.ts";

test("columns stand below one another, and no line ends in blanks", (t) => {
  const rows = [
    ["INSTANCE", "PID", "NET"],
    ["foot@work", "7", ""],
    ["é", "12345", "none"],
  ];
  t.is(renderTable(rows), "INSTANCE   PID    NET\nfoot@work  7\né          12345  none");
  t.is(renderTable([]), "");
});

test("colour takes no room", (t) => {
  const [first = "", second = ""] = renderTable([
    [colourStyle("bold", "AB"), "x"],
    ["ABCD", "x"],
  ]).split("\n");
  t.is(first.replace("\u001b[1mAB\u001b[22m", "AB"), "AB    x");
  t.is(second, "ABCD  x");
});

test("amounts are short", (t) => {
  t.deepEqual([0, 999, 1_000, 59_900, 61_000].map(formatMs), ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min 1 s"]);
  t.deepEqual([-5, 5_000, 65_000, 3_700_000, 90_000_000].map(formatUptime), ["0s", "5s", "1m 5s", "1h 1m", "1d 1h"]);
  t.deepEqual([512, 1024, 1536].map(formatMib), ["512M", "1G", "1.5G"]);
  t.deepEqual([2 ** 20, 300 * 2 ** 20, 3 * 2 ** 30].map(formatBytes), ["1.0 MiB", "300 MiB", "3.0 GiB"]);
});
