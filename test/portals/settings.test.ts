import test from "ava";
import { Variant } from "../../portals/bus.ts";
import { until } from "./support/until.ts";
import { startWorld } from "./support/world.ts";

const appearance = "org.freedesktop.appearance";
const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

test.serial("a program reads the colour scheme of the host", async (t) => {
  using program = await world.startProgram();
  const [wrapped] = await program.call("Settings.Read", "ss", [appearance, "color-scheme"]);
  t.is(((wrapped as Variant).value as Variant).value, 0);
  const [all] = await program.call("Settings.ReadAll", "as", [[]]);
  t.deepEqual(Object.keys(all as object), [appearance]);
});

test.serial("settings that are not about looks stay with the host", async (t) => {
  using program = await world.startProgram();
  const refused = await program.refusalOf("Settings.Read", "ss", ["org.example.private", "secret"]);
  t.is(refused, "org.freedesktop.portal.Error.NotFound");
  const [all] = await program.call("Settings.ReadAll", "as", [["org.example.*"]]);
  t.deepEqual(all, {});
});

test.serial("dark mode flips live, and only what is about looks is told", async (t) => {
  using program = await world.startProgram();
  const heard: unknown[][] = [];
  const match = { interface: "org.freedesktop.portal.Settings", member: "SettingChanged" };
  await using _ = await program.bus.onSignal(match, ({ body }) => heard.push([...body]));
  world.backend.changeSetting("org.example.private", "secret", new Variant("s", "other"));
  world.backend.changeSetting(appearance, "color-scheme", new Variant("u", 1));
  await until(() => heard.length > 0);
  t.deepEqual(heard, [[appearance, "color-scheme", new Variant("u", 1)]]);
  const [wrapped] = await program.call("Settings.Read", "ss", [appearance, "color-scheme"]);
  t.is(((wrapped as Variant).value as Variant).value, 1);
});

test.serial("the version is the lower one of both sides", async (t) => {
  using program = await world.startProgram();
  const version = Number(await program.property("Settings", "version"));
  t.true(version >= 1 && version <= 2);
  const read = await program.refusalOf("Settings.ReadOne", "ss", [appearance, "color-scheme"]);
  t.is(read, version >= 2 ? undefined : "org.freedesktop.DBus.Error.UnknownMethod");
});
