import { readFile } from "node:fs/promises";
import test from "ava";
import { ClocheError, errorCodes, messageOf } from "../../src/errors.ts";
import { packagePath } from "../../src/paths.ts";

test("the documented codes are the codes there are", async (t) => {
  const text = await readFile(packagePath("docs", "errors.md"), "utf8");
  const documented = [...text.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\|$/gm)].map(([, code, meaning]) => [code, meaning]);
  t.deepEqual(documented, Object.entries(errorCodes));
});

test("an error carries its facts, and its cause is chained", (t) => {
  const cause = new Error("inner");
  const error = new ClocheError("state", "outer", { cause, hint: "do this", stage: "boot", console: ["a"] });
  t.like(error, { code: "state", message: "outer", hint: "do this", stage: "boot", console: ["a"] });
  t.is(error.cause, cause);
});

test("anything that is thrown has a message", (t) => {
  t.is(messageOf(new Error("a")), "a");
  t.is(messageOf("b"), "b");
});
