import test from "ava";
import { type BootstrapPlan, parsePackageLine, planBootstrap } from "../../../src/image/bootstrap.ts";

const plan: BootstrapPlan = {
  kind: "install",
  as: "root",
  packages: ["foot", "dbus-daemon"],
  mirror: { archive: "http://archive.example/debian" },
  backports: false,
  remove: ["var/log/*"],
  cache: "/store/it's/apt",
  target: "/build/root.tar",
};

test("an image is installed in a chroot and becomes a tar archive", (t) => {
  const argv = planBootstrap(plan);
  for (const option of ["--variant=essential", "--mode=root", "--format=tar", "--include=foot,dbus-daemon"]) {
    t.true(argv.includes(option), option);
  }
  t.deepEqual(argv.slice(-4), [
    "trixie",
    "/build/root.tar",
    "deb http://archive.example/debian trixie main",
    "deb http://archive.example/debian trixie-updates main",
  ]);
});

test("a user installs with subordinate ids, and extracts without any privilege", (t) => {
  t.true(planBootstrap({ ...plan, as: "user" }).includes("--mode=unshare"));
  const extract = planBootstrap({ ...plan, as: "user", kind: "extract", target: "/build/root" });
  t.true(extract.includes("--mode=chrootless"));
  t.true(extract.includes("--variant=extract"));
  t.true(extract.includes("--format=directory"));
});

test("what only extracts has its hooks at the last stage that runs then", (t) => {
  const argv = planBootstrap({ ...plan, kind: "extract", customize: "true" });
  t.false(argv.some((word) => word.startsWith("--customize-hook")));
  t.true(argv.includes("--extract-hook=true"));
});

test("a path with a quote reaches the hooks as one word", (t) => {
  t.true(planBootstrap(plan).some((word) => word.includes(`'/store/it'\\''s/apt'/*.deb`)));
});

test("without a known archive the choice is mmdebstrap's, and backports follow it", (t) => {
  const argv = planBootstrap({ ...plan, mirror: {}, backports: true });
  t.is(argv.at(-1), "/build/root.tar");
  t.true(argv.some((word) => word.includes("trixie-backports main")));
});

for (const pattern of ["/etc", "../x", "a b", "a;b", "$(x)", ""]) {
  test(`${JSON.stringify(pattern)} is not removed from a tree`, (t) => {
    t.throws(() => planBootstrap({ ...plan, remove: [pattern] }), { instanceOf: RangeError });
  });
}

test("the packages are read from their lines alone", (t) => {
  t.deepEqual(parsePackageLine("cloche-package foot 1.21.0-2+b1"), { name: "foot", version: "1.21.0-2+b1" });
  t.is(parsePackageLine("I: running --customize-hook in shell: cloche-package foot 1"), undefined);
});
