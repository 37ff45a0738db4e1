import test from "ava";
import { readMemory, readMoment, readSeconds, readVariable } from "../../../src/cli/values.ts";

test("memory is MiB unless said otherwise", (t) => {
  const sizes = ["512", "512M", "512m", "512MiB", "512MB", "2G", "2g", "2GiB", "1.5G", "128", "1048576", "1024G"];
  t.deepEqual(sizes.map(readMemory), [512, 512, 512, 512, 512, 2048, 2048, 2048, 1536, 128, 1_048_576, 1_048_576]);
});

test("what is no size of memory, or none that a machine has, is refused", (t) => {
  for (const text of [
    "",
    "G",
    "-1",
    "1e9",
    "0x200",
    "512K",
    "2T",
    "1.0001G",
    "127",
    "1025G",
    "99999999999999999999",
    "NaN",
  ])
    t.throws(() => readMemory(text), { instanceOf: RangeError }, text);
});

test("a variable's value may have any character, its name may not", (t) => {
  t.deepEqual(readVariable("A_1=x y=\n"), ["A_1", "x y=\n"]);
  t.deepEqual(readVariable("A="), ["A", ""]);
  for (const text of ["=x", "1A=x", "A-B=x", "A B=x", "A"])
    t.throws(() => readVariable(text), { instanceOf: RangeError }, text);
});

test("seconds become milliseconds", (t) => {
  t.deepEqual(["0", "5", "0.25", "30s", "600"].map(readSeconds), [0, 5_000, 250, 30_000, 600_000]);
  for (const text of ["-1", "601", "1m", ""]) t.throws(() => readSeconds(text), { instanceOf: RangeError }, text);
});

test("a moment is a while ago, or a date", (t) => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  t.is(readMoment("30s", now), now - 30_000);
  t.is(readMoment("5m", now), now - 300_000);
  t.is(readMoment("2h", now), now - 7_200_000);
  t.is(readMoment("1d", now), now - 86_400_000);
  t.is(readMoment("2026-02-28T12:00:00Z", now), now - 86_400_000);
  for (const text of ["", "5", "5w", "-5m", "yesterday", "2026-13-01"])
    t.throws(() => readMoment(text, now), { instanceOf: RangeError }, text);
});
