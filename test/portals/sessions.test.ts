import test from "ava";
import { type BusDict, Variant } from "../../portals/bus.ts";
import type { Program } from "./support/program.ts";
import { later, until } from "./support/until.ts";
import { granted, startWorld, yes } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

const shortcuts = [["play", { description: new Variant("s", "Play") }]];
const bound = new Variant("a(sa{sv})", [["play", { trigger_description: new Variant("s", "Ctrl+P") }]]);

/** The user says yes to the broker's question, and the desktop binds what it is asked for. */
function answer() {
  world.backend.answer = ({ name }) =>
    name.startsWith("Access.") ? yes("once") : granted(name.endsWith("BindShortcuts") ? { shortcuts: bound } : {});
}

const token = (name: string): BusDict => ({ session_handle_token: new Variant("s", name) });

async function begin(program: Program, name: string, sessionToken = "mine"): Promise<string> {
  const [signature, before] = name.startsWith("Inhibit.") ? ["sa{sv}", [""]] : ["a{sv}", []];
  const { code, results } = await program.ask(name, signature, [...before, token(sessionToken)]);
  if (code !== 0) throw new Error(`the session was not begun: ${code}`);
  return String(results.session_handle?.value);
}

/** The back end's name of the session that was begun last. */
const onHost = (name: string) => String(world.backend.named(name).at(-1)?.body[1]);

test.serial("a session bears the program's token in the guest, and one of ours on the host", async (t) => {
  answer();
  using program = await world.startProgram();
  const path = await begin(program, "GlobalShortcuts.CreateSession");
  const sender = program.bus.name.slice(1).replaceAll(".", "_");
  t.is(path, `/org/freedesktop/portal/desktop/session/${sender}/mine`);
  t.regex(onHost("GlobalShortcuts.CreateSession"), /\/cloche[0-9a-f]{24}$/);
});

test.serial("key combinations are bound where the user says so, and come back to the program that asked", async (t) => {
  answer();
  using program = await world.startProgram();
  using other = await world.startProgram();
  const path = await begin(program, "GlobalShortcuts.CreateSession");
  const { code, results } = await program.ask("GlobalShortcuts.BindShortcuts", "oa(sa{sv})sa{sv}", [
    path,
    shortcuts,
    "",
    {},
  ]);
  t.is(code, 0);
  t.is((results.shortcuts?.value as string[][] | undefined)?.[0]?.[0], "play");
  const heard: unknown[][] = [];
  const astray: unknown[][] = [];
  const match = { interface: "org.freedesktop.portal.GlobalShortcuts", member: "Activated" };
  await using _ = await program.bus.onSignal(match, ({ body }) => heard.push([...body]));
  await using __ = await other.bus.onSignal(match, ({ body }) => astray.push([...body]));
  const host = onHost("GlobalShortcuts.CreateSession");
  world.backend.tell("GlobalShortcuts.Activated", "osta{sv}", [host, "play", 42n, {}]);
  await until(() => heard.length === 1);
  t.deepEqual(heard[0]?.slice(0, 3), [path, "play", 42n]);
  t.deepEqual(astray, []);
});

test.serial("another program's session is none, and one of another interface neither", async (t) => {
  answer();
  using program = await world.startProgram();
  using other = await world.startProgram();
  const path = await begin(program, "GlobalShortcuts.CreateSession");
  const before = world.backend.named("GlobalShortcuts.ListShortcuts").length;
  t.is(
    await other.refusalOf("GlobalShortcuts.ListShortcuts", "oa{sv}", [path, {}]),
    "org.freedesktop.DBus.Error.AccessDenied",
  );
  const closing = { destination: "org.freedesktop.portal.Desktop", path, interface: "org.freedesktop.portal.Session" };
  const error = await t.throwsAsync(other.bus.call({ ...closing, member: "Close" }));
  t.like(error, { errorName: "org.freedesktop.DBus.Error.AccessDenied" });
  t.is(
    await program.refusalOf("Inhibit.QueryEndResponse", "o", [path]),
    "org.freedesktop.portal.Error.InvalidArgument",
  );
  t.is(world.backend.named("GlobalShortcuts.ListShortcuts").length, before);
});

test.serial("a session that its program closes is closed on the host", async (t) => {
  answer();
  using program = await world.startProgram();
  const path = await begin(program, "GlobalShortcuts.CreateSession");
  const host = onHost("GlobalShortcuts.CreateSession");
  const at = { destination: "org.freedesktop.portal.Desktop", path, interface: "org.freedesktop.portal.Session" };
  await program.bus.call({ ...at, member: "Close" });
  await until(() => world.backend.closedSessions.includes(host));
  t.like(await t.throwsAsync(program.bus.call({ ...at, member: "Close" })), {
    errorName: "org.freedesktop.DBus.Error.UnknownObject",
  });
});

test.serial("a program that leaves the bus leaves no session behind", async (t) => {
  answer();
  const program = await world.startProgram();
  await begin(program, "GlobalShortcuts.CreateSession");
  const host = onHost("GlobalShortcuts.CreateSession");
  program[Symbol.dispose]();
  await t.notThrowsAsync(until(() => world.backend.closedSessions.includes(host)));
});

test.serial("a session that the host ends is ended in the guest", async (t) => {
  answer();
  using program = await world.startProgram();
  const path = await begin(program, "GlobalShortcuts.CreateSession");
  const ended: string[] = [];
  const match = { interface: "org.freedesktop.portal.Session", member: "Closed" };
  await using _ = await program.bus.onSignal(match, (signal) => ended.push(signal.path));
  world.backend.endSession(onHost("GlobalShortcuts.CreateSession"));
  await until(() => ended.length === 1);
  t.deepEqual(ended, [path]);
});

test.serial("the host's portal dies: its sessions are ended, and the next one works", async (t) => {
  answer();
  using program = await world.startProgram();
  const path = await begin(program, "GlobalShortcuts.CreateSession");
  const ended: string[] = [];
  const match = { interface: "org.freedesktop.portal.Session", member: "Closed" };
  await using _ = await program.bus.onSignal(match, (signal) => ended.push(signal.path));
  await world.killPortal();
  await until(() => ended.length === 1);
  t.deepEqual(ended, [path]);
  t.regex(await begin(program, "GlobalShortcuts.CreateSession", "again"), /\/again$/);
});

test.serial("no more than 16 sessions are open", async (t) => {
  answer();
  using program = await world.startProgram();
  const paths: string[] = [];
  for (let at = 0; at < 16; at += 1) paths.push(await begin(program, "GlobalShortcuts.CreateSession", `s${at}`));
  const refused = await program.refusalOf("GlobalShortcuts.CreateSession", "a{sv}", [token("more")]);
  t.is(refused, "org.freedesktop.portal.Error.InvalidArgument");
  t.is(new Set(paths).size, 16);
});

test.serial("whether the screen is locked is told to who asked for it, and to nobody after that", async (t) => {
  answer();
  using program = await world.startProgram();
  const heard: unknown[][] = [];
  const match = { interface: "org.freedesktop.portal.Inhibit", member: "StateChanged" };
  await using _ = await program.bus.onSignal(match, ({ body }) => heard.push([...body]));
  const path = await begin(program, "Inhibit.CreateMonitor");
  const host = onHost("Inhibit.CreateMonitor");
  const state = { "screensaver-active": new Variant("b", true) };
  world.backend.tell("Inhibit.StateChanged", "oa{sv}", [host, state]);
  await until(() => heard.length === 1);
  t.deepEqual(heard, [[path, state]]);
  const at = { destination: "org.freedesktop.portal.Desktop", path, interface: "org.freedesktop.portal.Session" };
  await program.bus.call({ ...at, member: "Close" });
  world.backend.tell("Inhibit.StateChanged", "oa{sv}", [host, state]);
  await later(200, undefined);
  t.is(heard.length, 1);
});
