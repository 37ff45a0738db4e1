import test from "ava";
import fc from "fast-check";
import { hostnameOf, parseInstanceName } from "../../../src/app/instance-name.ts";

test("an application alone is its first instance", (t) => {
  t.deepEqual(parseInstanceName("foot"), { app: "foot", instance: undefined, id: "foot" });
});

test("a name behind @ is an instance of its own", (t) => {
  t.deepEqual(parseInstanceName("foot@work"), { app: "foot", instance: "work", id: "foot@work" });
});

for (const text of [
  "",
  "@",
  "foot@",
  "@work",
  "a@b@c",
  "../x",
  "a/b",
  "-rf",
  ".hidden",
  "a b",
  "a\nb",
  "é",
  "x".repeat(41),
  "foot@../x",
]) {
  test(`${JSON.stringify(text)} is refused as a usage error`, (t) => {
    t.like(
      t.throws(() => parseInstanceName(text)),
      { code: "usage" },
    );
  });
}

test("no accepted name can leave its directory or be taken for an option", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      try {
        const { id } = parseInstanceName(text);
        return !id.includes("/") && !id.startsWith(".") && !id.startsWith("-") && id.length <= 40;
      } catch (error) {
        return error instanceof Error && error.name === "ClocheError";
      }
    }),
  );
  t.pass();
});

test("a host name has only letters, digits and hyphens", (t) => {
  t.is(hostnameOf(parseInstanceName("org.gnome.Edit_or@A.b")), "org-gnome-edit-or-a-b");
});
