import test from "ava";
import fc from "fast-check";
import { portalAppId } from "../../../portals/app-id.ts";
import { parseInstanceName } from "../../../src/app/instance-name.ts";

test("an instance has a name that D-Bus takes", (t) => {
  t.is(portalAppId("foot"), "dev.cloche.foot");
  t.is(portalAppId("foot@work"), "dev.cloche.foot._40work");
  t.is(portalAppId("7zip@-x"), "dev.cloche._37zip._40-x");
});

const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,12}$/);
const name = fc.oneof(
  word,
  fc.tuple(word, word).map((words) => words.join("@")),
);

test("no two instances have one name, and every name is valid", (t) => {
  fc.assert(
    fc.property(name, name, (one, other) => {
      const ids = [one, other].map((text) => portalAppId(parseInstanceName(text).id));
      for (const id of ids) t.regex(id, /^dev\.cloche(\.[A-Za-z_][A-Za-z0-9_-]*)+$/);
      t.is(ids[0] === ids[1], one === other);
    }),
  );
});
