import test from "ava";
import { countIds } from "../../../src/doctor/build-tools.ts";

test("a user's ids are found by name or number", (t) => {
  const text = "root:1:2\nanna:100000:65536\n1001:200000:1000\n";
  t.is(countIds(text, ["anna", "1000"]), 65_536);
  t.is(countIds(text, ["bert", "1001"]), 1_000);
});

test("no line, or one that cannot be read, is none", (t) => {
  t.is(countIds("", ["anna"]), 0);
  t.is(countIds("anna:x:y\nanna\n", ["anna"]), 0);
});
