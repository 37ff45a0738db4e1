import { readFileSync } from "node:fs";
import test from "ava";
import { packagePath } from "../../../src/paths.ts";
import { parseNeeded } from "../../../src/setup/debian.ts";

const text = readFileSync(packagePath("src", "setup", "debian-packages.txt"), "utf8");

test("only packages of the occasion are needed, each with a reason", (t) => {
  const names = parseNeeded(text, ["always"]).map(({ name }) => name);
  t.true(names.includes("bubblewrap"));
  t.false(names.includes("sway"));
  t.true(parseNeeded(text, ["always", "desktop", "tests"]).every(({ reason }) => reason.length > 5));
});

test("comments and empty lines name no package", (t) => {
  t.deepEqual(parseNeeded("# always a comment\n\nalways  xz-utils  unpacks\n", ["always"]), [
    { name: "xz-utils", reason: "unpacks" },
  ]);
});
