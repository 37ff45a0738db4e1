// What the front end's objects say of themselves: languages that bind by it call with the right types.
import test from "ava";
import { startWorld } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

test.serial("a program is told what the methods take and return, and what comes as a signal", async (t) => {
  using program = await world.startProgram();
  const [text] = await program.bus.call({
    destination: "org.freedesktop.portal.Desktop",
    path: "/org/freedesktop/portal/desktop",
    interface: "org.freedesktop.DBus.Introspectable",
    member: "Introspect",
  });
  const described = (kind: string, name: string) => {
    const [, body = ""] = new RegExp(`<${kind} name="${name}">(.*?)</${kind}>`, "s").exec(String(text)) ?? [];
    return [...body.matchAll(/<arg type="(.+?)" direction="(.+?)"/g)].map(
      ([, type, direction]) => `${direction} ${type}`,
    );
  };
  t.deepEqual(described("method", "ComposeEmail"), ["in s", "in a{sv}", "out o"]);
  t.deepEqual(described("method", "ReadAll"), ["in as", "out a{sa{sv}}"]);
  t.deepEqual(described("signal", "SettingChanged"), ["out s", "out s", "out v"]);
});
