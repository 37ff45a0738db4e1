// What a guest may take of the user's attention and of the host, and what happens when the host's portal ends.
import { closeSync, openSync } from "node:fs";
import test from "ava";
import { execa } from "execa";
import { Variant } from "../../portals/bus.ts";
import { Bucket } from "../../portals/limits.ts";
import { serial } from "./support/fuse.ts";
import { later, until } from "./support/until.ts";
import { granted, startWorld } from "./support/world.ts";

const world = await startWorld({ bucket: new Bucket() });
test.after.always(() => world[Symbol.asyncDispose]());

const openFile = ["FileChooser.OpenFile", "ssa{sv}"] as const;
const limits = "org.freedesktop.DBus.Error.LimitsExceeded";

serial("10,000 requests in a row open no more than four dialogs", async (t) => {
  world.backend.answer = () => undefined;
  const program = await world.startProgram();
  let refused = 0;
  for (let round = 0; round < 100; round += 1) {
    const calls = Array.from({ length: 100 }, (_, index) => {
      const token = { handle_token: new Variant("s", `t${round}_${index}`) };
      return program.refusalOf(...openFile, ["", "Open", token]);
    });
    for (const name of await Promise.all(calls)) {
      if (name === limits) refused += 1;
      else t.is(name, undefined);
    }
    t.true(world.backend.open.length <= 4);
  }
  t.is(refused, 10_000 - 4);
  program[Symbol.dispose]();
  await until(() => world.backend.open.length === 0);
});

for (const token of ["", "a-b", "../x", "é", "x".repeat(10_000), "a/b"]) {
  serial(`a token like ${JSON.stringify(token.slice(0, 12))} never reaches the host`, async (t) => {
    world.backend.answer = () => granted({ uris: new Variant("as", []) });
    using program = await world.startProgram();
    await untilAllowed();
    const [path] = await program.call(...openFile, ["", "Open", { handle_token: new Variant("s", token) }]);
    t.regex(String(path), /^\/org\/freedesktop\/portal\/desktop\/request\/\d+_\d+\/cloche\d+$/);
    await until(() => world.backend.open.length === 0);
    const [handle] = world.backend.named("FileChooser.OpenFile").at(-1)?.body ?? [];
    t.regex(String(handle), /\/cloche[0-9a-f]{24}$/);
  });
}

serial("a token that is used twice gives two requests", async (t) => {
  world.backend.answer = () => undefined;
  await untilAllowed(2);
  using program = await world.startProgram();
  const [one, two] = [
    await program.request(...openFile, ["", "Open", {}], "same"),
    await program.request(...openFile, ["", "Open", {}], "same"),
  ];
  t.not(one.path, two.path);
  await one.close();
  await two.close();
  await until(() => world.backend.open.length === 0);
});

serial("what is not offered is not there", async (t) => {
  using program = await world.startProgram();
  // What was closed above before the host was asked is on its way.
  await later(300, undefined);
  const before = world.backend.calls.length;
  for (const name of ["Registry.Register", "Device.AccessDevice", "Wallpaper.SetWallpaperURI", "Settings.Nope"])
    t.regex((await program.refusalOf(name)) ?? "", /UnknownInterface|UnknownMethod/);
  t.is(await program.refusalOf("Settings.Read", "s", ["x"]), "org.freedesktop.DBus.Error.InvalidArgs");
  t.is(world.backend.calls.length, before);
});

serial("the host's portal dies with a dialog open: the request ends, and the next one works", async (t) => {
  world.backend.answer = () => undefined;
  using program = await world.startProgram();
  await untilAllowed(2);
  const request = await program.request(...openFile, ["", "Open", {}]);
  await until(() => world.backend.open.length === 1);
  await world.killPortal();
  t.is((await request.response).code, 2);
  for (const call of world.backend.open) call.isClosed = true;
  world.backend.answer = () => granted({ uris: new Variant("as", []) });
  t.is((await program.ask(...openFile, ["", "Open", {}])).code, 0);
});

serial(
  "as many files as a message takes, and calls that cannot be, cost the program an error and no more",
  async (t) => {
    using program = await world.startProgram();
    const fd = openSync("/dev/null", "r");
    t.teardown(() => closeSync(fd));
    const documents = "org.freedesktop.portal.Documents";
    const add = { destination: documents, path: "/org/freedesktop/portal/documents", interface: documents };
    // dbus-daemon lets no message pass that has more.
    const files = Array(16).fill(fd);
    const call = { ...add, member: "AddFull", signature: "ahusas", body: [files, 0, "", ["read"]] };
    const error = await t.throwsAsync(program.bus.call(call));
    t.like(error, { errorName: "org.freedesktop.portal.Error.InvalidArgument" });
    t.is(await program.refusalOf("Settings.Read", "s".repeat(40), Array(40).fill("x")), limits);
    t.is(await program.refusalOf("Settings.Read", "ss", ["x".repeat(300_000), "y"]), limits);
    t.truthy((await program.call("Settings.ReadAll", "as", [[]]))[0]);
  },
);

serial("descriptors do not pile up in the broker", async (t) => {
  const count = async () => (await execa("ls", [`/proc/${process.pid}/fd`])).stdout.split("\n").length;
  using program = await world.startProgram();
  const before = await count();
  for (let index = 0; index < 50; index += 1) await program.refusalOf("Trash.TrashFile", "h", [0]);
  // Others of this process come and go.
  t.true((await count()) - before < 25);
});

/** The bucket refills while nothing is asked. */
async function untilAllowed(tokens = 1): Promise<void> {
  await later(2_050 * tokens, undefined);
}
