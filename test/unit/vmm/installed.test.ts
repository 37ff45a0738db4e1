import test from "ava";
import fc from "fast-check";
import { judge } from "../../../src/vmm/installed.ts";
import { requirements } from "../../../src/vmm/requirements.ts";

const { "cloud-hypervisor": cloudHypervisor, crosvm } = requirements;
const wholeHelp = (options: object) => Object.keys(options).join("\n");

test("a new enough version with all options can be used", (t) => {
  const help = wholeHelp(cloudHypervisor.options);
  for (const [answer, version] of [
    ["cloud-hypervisor v52.0\nMigration Protocol Versions: 0\n", "52.0"],
    ["cloud-hypervisor v53.0-246-gae44c2971-dirty\n", "53.0-246-gae44c2971-dirty"],
    ["cloud-hypervisor v100.1.2\n", "100.1.2"],
  ] as const)
    t.deepEqual(judge(cloudHypervisor, answer, help), { version, options: [] });
});

test("an old version is told with the oldest that works", (t) => {
  const help = wholeHelp(cloudHypervisor.options);
  t.is(judge(cloudHypervisor, "cloud-hypervisor v51.1\n", help), "is version 51.1, and 52 is the oldest that works");
});

test("a build without an option is told with what the option is for", (t) => {
  for (const missing of Object.keys(crosvm.options)) {
    const help = Object.keys(crosvm.options)
      .filter((option) => option !== missing)
      .join("\n");
    t.regex(String(judge(crosvm, "crosvm 0.1.0\n", help)), new RegExp(`^has no ${missing}, which is for `));
  }
});

test("options that not every build has are found", (t) => {
  const help = `${wholeHelp(crosvm.options)}\n  --nested          nested virtualization support.`;
  t.deepEqual(judge(crosvm, "crosvm 0.1.0-abcdef\n", help), { version: "0.1.0-abcdef", options: ["--nested"] });
});

test("a program that tells no version is none of ours", (t) => {
  t.is(judge(crosvm, "", wholeHelp(crosvm.options)), "does not tell its version");
  t.is(judge(cloudHypervisor, "QEMU emulator version 11.1.3", ""), "does not tell its version");
});

test("no answer makes the judge throw", (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (version, help) => {
      for (const requirement of Object.values(requirements)) {
        judge(requirement, version, help);
        judge(requirement, `cloud-hypervisor v${version}`, help);
      }
    }),
  );
  t.pass();
});
