import test from "ava";
import fc from "fast-check";
import { parseManifest } from "../../../src/app/manifest.ts";

const valid = `id = "foot"
name = "Foot"
summary = "A terminal"
command = ["foot"]
packages = ["foot"]

[machine]
cpus = 1
memory_mib = 512
`;
const parse = (text: string) => parseManifest(Buffer.from(text), "foot.toml");

test("a manifest becomes a value with units in its names", (t) => {
  t.deepEqual(parse(valid), {
    id: "foot",
    name: "Foot",
    summary: "A terminal",
    command: ["foot"],
    packages: ["foot"],
    cpus: 1,
    memoryMib: 512,
  });
});

test("the machine has defaults", (t) => {
  t.like(parse(valid.slice(0, valid.indexOf("[machine]"))), { cpus: 2, memoryMib: 1024 });
});

const broken: [what: string, text: string, message: RegExp][] = [
  ["a syntax error", valid.replace('"Foot"', '"Foot'), /^foot\.toml:2:\d+: /],
  ["an unknown field", `colour = "red"\n${valid}`, /^foot\.toml:1: colour: unknown field$/],
  ["an unknown field of a table", `${valid}gpus = 2\n`, /^foot\.toml:10: machine\.gpus: unknown field$/],
  ["a missing field", valid.replace('summary = "A terminal"\n', ""), /summary: is missing$/],
  ["a wrong type", valid.replace('["foot"]', '"foot"'), /^foot\.toml:4: command: must be array$/],
  ["a negative count", valid.replace("cpus = 1", "cpus = -1"), /^foot\.toml:8: machine\.cpus: must be >= 1$/],
  ["a memory of 1e308", valid.replace("512", "1e308"), /^foot\.toml:9: machine\.memory_mib: /],
  ["an id that is a path", valid.replace('"foot"', '"../../autostart/x"'), /^foot\.toml:1: id: must match pattern/],
  ["a newline in a name", valid.replace('"Foot"', '"Foot\\nExec=x"'), /^foot\.toml:2: name: must match pattern/],
  [
    "a package that is an option",
    valid.replace('packages = ["foot"]', 'packages = ["--hook=x"]'),
    /^foot\.toml:5: packages: /,
  ],
];
for (const [what, text, message] of broken) {
  test(`${what} is refused with its line and field`, (t) => {
    const error = t.throws(() => parse(text));
    t.like(error, { code: "bad-manifest" });
    t.regex(error?.message ?? "", message);
  });
}

test("a manifest of a gigabyte is refused before it is parsed", (t) => {
  const start = performance.now();
  t.like(
    t.throws(() => parseManifest(new Uint8Array(2 ** 20), "big.toml")),
    { code: "bad-manifest" },
  );
  t.true(performance.now() - start < 100);
});

test("any bytes give a manifest or a bad-manifest error", (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
      ),
      (text) => {
        try {
          parse(text);
          return true;
        } catch (error) {
          return error instanceof Error && "code" in error && error.code === "bad-manifest";
        }
      },
    ),
  );
  t.pass();
});
