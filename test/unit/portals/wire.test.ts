import test from "ava";
import fc from "fast-check";
import { Variant } from "../../../portals/bus.ts";
import { dictToWire, fromWire, splitSignature, toWire, WireError } from "../../../portals/wire.ts";

test("a body comes back as it went", (t) => {
  const signature = "sayxt(sb)a{sv}aas";
  const body = [
    "text",
    Buffer.from([0, 1, 255]),
    -(2n ** 63n),
    2n ** 64n - 1n,
    ["x", true],
    { key: new Variant("a(us)", [[1, "a"]]) },
    [["a"], []],
  ];
  t.deepEqual(fromWire(signature, toWire(signature, body)), body);
});

for (const [what, signature, json] of [
  ["a number beyond its type", "y", [256]],
  ["a fraction", "u", [1.5]],
  ["a large integer as a number", "t", [1]],
  ["an integer beyond 64 bits", "t", ["18446744073709551616"]],
  ["a NUL in a text", "s", ["a\0b"]],
  ["half a character", "s", ["\ud800"]],
  ["bytes that are no base64", "ay", ["!"]],
  ["a variant of two types", "v", [{ type: "ss", data: ["a", "b"] }]],
  ["a variant without a type", "v", [{ data: 1 }]],
  ["a structure of another length", "(ss)", [["a"]]],
  ["a body of another length", "ss", ["a"]],
  ["a signature that is none", "z", [1]],
  ["a structure without an end", "(s", [["a"]]],
  ["keys that are no strings", "a{us}", [{}]],
  ["what nests without end", `${"a".repeat(40)}s`, [[]]],
] as const) {
  test(`${what} is refused`, (t) => {
    t.throws(() => fromWire(signature, json), { instanceOf: WireError });
  });
}

test("any JSON under any signature is values or a WireError, at once", (t) => {
  const signature = fc.stringMatching(/^[a(){}svybnqiuxtdgoh]{0,16}$/);
  fc.assert(
    fc.property(signature, fc.array(fc.jsonValue(), { maxLength: 4 }), (types, body) => {
      try {
        fromWire(types, body);
      } catch (error) {
        t.true(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("variants nested in variants have an end", (t) => {
  let json: unknown = { type: "s", data: "x" };
  for (let depth = 0; depth < 100; depth += 1) json = { type: "v", data: json };
  t.throws(() => fromWire("v", [json]), { instanceOf: WireError });
});

test("a signature is split into its complete types", (t) => {
  t.deepEqual(splitSignature("ssa{sv}a(sa(us))v"), ["s", "s", "a{sv}", "a(sa(us))", "v"]);
});

test("a descriptor has no place on the way to the guest", (t) => {
  t.throws(() => dictToWire({ fd: new Variant("h", 3) }), { instanceOf: WireError });
});
