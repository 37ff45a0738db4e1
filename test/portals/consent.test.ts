// Interfaces for which the broker asks: granted once, while it runs, for good, and not.
import test from "ava";
import { Variant } from "../../portals/bus.ts";
import { changeSetting, readSettings, resetSettings } from "../../portals/permissions.ts";
import { until } from "./support/until.ts";
import { appId, denied, granted, instance, startWorld, yes } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());
test.beforeEach(() => resetSettings(instance));

const notify = ["Notification.AddNotification", "sa{sv}"] as const;
const notAllowed = "org.freedesktop.portal.Error.NotAllowed";
const hello = { title: new Variant("s", "Hello"), body: new Variant("s", "there") };
const questions = () => world.backend.named("Access.AccessDialog").length;

test.serial("a no is a no, and the next time is asked again", async (t) => {
  world.backend.answer = () => denied;
  using program = await world.startProgram();
  const before = questions();
  t.is(await program.refusalOf(...notify, ["one", hello]), notAllowed);
  t.is(await program.refusalOf(...notify, ["one", hello]), notAllowed);
  t.is(questions(), before + 2);
  t.is(world.backend.named("Notification.AddNotification").length, 0);
});

test.serial("the question names the instance", (t) => {
  const [, application, , title, , body] = world.backend.named("Access.AccessDialog").at(-1)?.body ?? [];
  t.is(application, appId);
  t.true(String(title).includes(instance), String(title));
  t.regex(String(body), /cloche permission set app@test notification=deny/);
});

test.serial("once is once", async (t) => {
  world.backend.answer = () => yes("once");
  using program = await world.startProgram();
  const before = questions();
  t.is(await program.refusalOf(...notify, ["two", hello]), undefined);
  t.is(await program.refusalOf(...notify, ["two", hello]), undefined);
  t.is(questions(), before + 2);
});

test.serial("until it is revoked is kept for the next run too", async (t) => {
  world.backend.answer = () => yes("always");
  using program = await world.startProgram();
  const before = questions();
  t.is(await program.refusalOf(...notify, ["three", hello]), undefined);
  t.is(await program.refusalOf(...notify, ["three", hello]), undefined);
  t.is(questions(), before + 1);
  t.deepEqual(await readSettings(instance), { notification: "allow" });
});

test.serial("questions about the same thing are one question", async (t) => {
  let answer = (_: typeof denied) => {};
  world.backend.answer = () => new Promise((resolve) => (answer = resolve));
  using program = await world.startProgram();
  const before = questions();
  const both = [program.refusalOf(...notify, ["a", hello]), program.refusalOf(...notify, ["b", hello])];
  await until(() => questions() === before + 1);
  answer(denied);
  t.deepEqual(await Promise.all(both), [notAllowed, notAllowed]);
  t.is(questions(), before + 1);
});

test.serial("while it runs, it is not asked again", async (t) => {
  world.backend.answer = () => yes("running");
  using program = await world.startProgram();
  const before = questions();
  t.is(await program.refusalOf(...notify, ["four", hello]), undefined);
  t.is(await program.refusalOf(...notify, ["four", hello]), undefined);
  t.is(questions(), before + 1);
  t.deepEqual(await readSettings(instance), {});
});

test.serial("a notification bears the instance's name, and no markup", async (t) => {
  using program = await world.startProgram();
  const words = { title: new Variant("s", "<b>T</b>"), body: new Variant("s", "<a href='x'>y</a> &lt; R&D") };
  await program.call(...notify, ["five", words]);
  await until(() => world.backend.named("Notification.AddNotification").some(({ body }) => body[1] === "five"));
  const [, , given] = world.backend.named("Notification.AddNotification").at(-1)?.body ?? [];
  const { title, body } = given as Record<string, Variant>;
  t.is(title?.value, `[${instance}] \u2039b\u203aT\u2039/b\u203a`);
  t.is(body?.value, "\u2039a href='x'\u203ay\u2039/a\u203a &\u200blt; R&D");
});

test.serial("an action comes back to the instance", async (t) => {
  using program = await world.startProgram();
  const heard: unknown[][] = [];
  const match = { interface: "org.freedesktop.portal.Notification", member: "ActionInvoked" };
  await using _ = await program.bus.onSignal(match, ({ body }) => heard.push([...body]));
  await program.call(...notify, ["six", { ...hello, "default-action": new Variant("s", "app.open") }]);
  await until(() => world.backend.named("Notification.AddNotification").some(({ body }) => body[1] === "six"));
  const [application] = world.backend.named("Notification.AddNotification").at(-1)?.body ?? [];
  world.backend.invokeAction(String(application), "six", "app.open");
  await until(() => heard.length > 0);
  t.deepEqual(heard[0]?.slice(0, 2), ["six", "app.open"]);
});

for (const [what, icon] of [
  ["that is too large", ["bytes", new Variant("ay", Buffer.concat([png(), Buffer.alloc(200_000)]))]],
  ["that is no picture", ["bytes", new Variant("ay", Buffer.from("<svg/>"))]],
  ["with a name that is a path", ["themed", new Variant("as", ["../../x"])]],
] as const) {
  test.serial(`an icon ${what} is refused`, async (t) => {
    using program = await world.startProgram();
    const refused = await program.refusalOf(...notify, ["icon", { ...hello, icon: new Variant("(sv)", icon) }]);
    t.true(refused === "org.freedesktop.portal.Error.InvalidArgument" || refused?.endsWith("LimitsExceeded"), refused);
  });
}

test.serial("a picture of the screen is a document, where the user says so", async (t) => {
  world.backend.answer = ({ name }) => (name.startsWith("Access.") ? denied : granted());
  using program = await world.startProgram();
  t.is((await program.ask("Screenshot.Screenshot", "sa{sv}", ["", {}])).code, 1);
  t.is(world.backend.named("Screenshot.Screenshot").length, 0);
});

test.serial("the computer stays awake until the request is closed", async (t) => {
  world.backend.answer = () => yes("once");
  using program = await world.startProgram();
  const request = await program.request("Inhibit.Inhibit", "sua{sv}", ["", 1 | 2 | 4 | 8, {}]);
  t.is((await request.response).code, 0);
  const call = world.backend.named("Inhibit.Inhibit").at(-1);
  t.is(call?.body[3], 4 | 8, "logging out and changing users are not hindered");
  t.false(call?.isClosed);
  await request.close();
  await until(() => call?.isClosed === true);
});

test.serial("an icon by a path is left out", async (t) => {
  world.backend.answer = () => yes("once");
  using program = await world.startProgram();
  const icon = new Variant("(sv)", ["file", new Variant("s", "file:///etc/passwd")]);
  await program.call(...notify, ["path", { ...hello, icon }]);
  await until(() => world.backend.named("Notification.AddNotification").some(({ body }) => body[1] === "path"));
  const [, , given] = world.backend.named("Notification.AddNotification").at(-1)?.body ?? [];
  t.deepEqual(Object.keys(given as object).sort(), ["body", "title"]);
});

function png(): Buffer {
  return Buffer.from("89504e470d0a1a0a", "hex");
}

test.serial("an answer without a dialog leaves a program the time to listen for it", async (t) => {
  await changeSetting(instance, "file-chooser", "deny");
  await using guest = await world.startRawGuest();
  const id = guest.call("FileChooser.OpenFile", "ssa{sv}", ["", "Open", {}]);
  await guest.hear((message) => message.type === "accept" && message.id === id);
  const accepted = performance.now();
  t.like(await guest.hear((message) => message.type === "response" && message.id === id), { code: 1 });
  t.true(performance.now() - accepted > 150);
});
