import test from "ava";
import { findSuite, listSuites } from "../../suites.ts";

test("files that are named behind nested: run where KVM works", (t) => {
  const suite = findSuite("nested:test/vm/session.test.ts,test/vm/end.test.ts");
  t.is(suite.where, "kvm");
  t.deepEqual(suite.files, ["test/vm/session.test.ts", "test/vm/end.test.ts"]);
});

test("each monitor's parity tests are in a suite: without KVM here, the others where it works, thin by default", (t) => {
  const suites = listSuites().filter(({ files }) => files.some((file) => file.includes("parity")));
  t.deepEqual(
    suites.map(({ name, where, isThin, isOnRequest }) => [name, where, isThin, isOnRequest]),
    [
      ["parity", "here", false, false],
      ["nested", "kvm", true, false],
      ["monitors", "kvm", false, true],
    ],
  );
});

test("a name that is no suite's is told with those that are", (t) => {
  t.throws(() => findSuite("parties"), { message: /there is no suite parties; the suites: unit, .*nested:FILE$/ });
});
