// A guest that lies to the broker, and the host's bus watched meanwhile: nothing is asked there but what was meant.
import test from "ava";
import { type BusDict, Variant } from "../../portals/bus.ts";
import { Bucket } from "../../portals/limits.ts";
import { watchBus } from "./support/bus-watch.ts";
import { serial } from "./support/fuse.ts";
import { until } from "./support/until.ts";
import { denied, granted, startWorld, yes } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

const appearance = "org.freedesktop.appearance";
const call = {
  type: "call",
  id: 1,
  interface: "org.freedesktop.portal.Settings",
  member: "Read",
  signature: "ss",
  body: [appearance, "color-scheme"],
  files: [],
};

for (const [what, message] of [
  ["no message", { type: "no" }],
  ["a call without its arguments", { ...call, body: undefined }],
  ["a call with more than it has", { ...call, more: 1 }],
  ["a number that is none", { ...call, id: -1 }],
  ["more than 16 files", { ...call, files: Array.from({ length: 17 }, () => ({ type: "local" })) }],
  ["more than 32 arguments", { ...call, body: Array.from({ length: 33 }, () => "x") }],
  ["a long interface", { ...call, interface: "x".repeat(256) }],
  ["a file of no kind", { ...call, files: [{ type: "host", path: "/etc/passwd" }] }],
  ["a list", []],
] as const) {
  serial(`${what} ends the connection, and is not asked of the host`, async (t) => {
    await using guest = await world.startRawGuest();
    guest.send(message);
    t.like(await guest.ended, { code: "protocol" });
  });
}

for (const [what, wrong, name] of [
  ["another type than it says", { body: [1, 2] }, "org.freedesktop.DBus.Error.InvalidArgs"],
  ["another signature", { signature: "s", body: ["x"] }, "org.freedesktop.DBus.Error.InvalidArgs"],
  ["too few arguments", { body: ["x"] }, "org.freedesktop.DBus.Error.InvalidArgs"],
  ["a signature that is none", { signature: "(((" }, "org.freedesktop.DBus.Error.InvalidArgs"],
  ["a member of every object", { member: "constructor", signature: "" }, "org.freedesktop.DBus.Error.UnknownMethod"],
  ["a member of its prototype", { member: "__proto__" }, "org.freedesktop.DBus.Error.UnknownMethod"],
  [
    "an interface that is not offered",
    { interface: "org.freedesktop.portal.Camera" },
    "org.freedesktop.DBus.Error.UnknownInterface",
  ],
  ["an interface of the bus", { interface: "org.freedesktop.DBus" }, "org.freedesktop.DBus.Error.UnknownInterface"],
  [
    "a file that it has not sent",
    { interface: "org.freedesktop.portal.Trash", member: "TrashFile", signature: "h", body: [3] },
    "org.freedesktop.portal.Error.InvalidArgument",
  ],
] as const) {
  serial(`${what} is an error, and the connection goes on`, async (t) => {
    world.backend.answer = () => granted();
    await using guest = await world.startRawGuest();
    guest.send({ ...call, ...wrong, id: 7 });
    const answer = await guest.hear(({ type }) => type === "error" || type === "reply");
    t.like(answer, { type: "error", id: 7, name }, JSON.stringify(answer));
    t.like(await guest.ask("Settings.Read", "ss", [appearance, "color-scheme"]), { type: "reply" });
  });
}

serial("a number used twice at a time ends the connection, and closes what was open", async (t) => {
  world.backend.answer = () => undefined;
  await using guest = await world.startRawGuest();
  const open = { interface: "org.freedesktop.portal.FileChooser", member: "OpenFile", signature: "ssa{sv}" };
  guest.send({ ...call, ...open, id: 9, body: ["", "Open", {}] });
  await until(() => world.backend.open.length === 1);
  guest.send({ ...call, id: 9 });
  t.like(await guest.ended, { code: "protocol" });
  await until(() => world.backend.open.length === 0);
});

serial("closing what is not open changes nothing", async (t) => {
  await using guest = await world.startRawGuest();
  guest.send({ type: "close", id: 42 });
  guest.send({ type: "close-session", session: 42 });
  t.like(await guest.ask("Settings.Read", "ss", [appearance, "color-scheme"]), { type: "reply" });
});

serial("no more than 64 calls wait, and a flood of others is refused", async (t) => {
  world.backend.answer = () => undefined;
  await using guest = await world.startRawGuest(new Bucket());
  for (let at = 0; at < 1_000; at += 1)
    guest.call("Notification.AddNotification", "sa{sv}", ["id", { title: { type: "s", data: "x" } }]);
  await until(() => guest.heard.filter(({ type }) => type === "error").length === 1_000 - 64);
  t.is(world.backend.open.length, 1);
});

serial("nothing is asked on the host's bus but what was meant", async (t) => {
  const title = new Variant("s", "Hello");
  world.backend.answer = ({ name }) => (name.startsWith("Access.") ? yes("once") : denied);
  await using watch = await watchBus(world.host.address, world.bus.name);
  using program = await world.startProgram();
  await program.call("Settings.Read", "ss", [appearance, "color-scheme"]);
  await program.call("Notification.AddNotification", "sa{sv}", ["id", { title } satisfies BusDict]);
  await program.ask("OpenURI.OpenURI", "ssa{sv}", ["", "https://example.org/", {}]);
  await program.refusalOf("Trash.TrashFile", "h", [0]);
  await program.refusalOf("Settings.Read", "ss", ["org.example.private", "secret"]);
  await program.refusalOf("Camera.AccessCamera", "a{sv}", [{}]);
  const seen = new Set(await watch.finish());
  seen.delete("org.freedesktop.portal.Settings.ReadAll");
  t.deepEqual([...seen].sort(), [
    "org.freedesktop.impl.portal.Access.AccessDialog",
    "org.freedesktop.portal.Notification.AddNotification",
    "org.freedesktop.portal.OpenURI.OpenURI",
  ]);
});
