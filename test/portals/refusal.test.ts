// What the host's portal refuses: by the method while nobody has been asked, and by the response after that.
import test from "ava";
import { type BusDict, Variant } from "../../portals/bus.ts";
import { readLedger } from "../../portals/ledger.ts";
import { changeSetting, resetSettings } from "../../portals/permissions.ts";
import { serial } from "./support/fuse.ts";
import { until } from "./support/until.ts";
import { instance, startWorld, yes } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());
test.beforeEach(() => resetSettings(instance));

const invalid = "org.freedesktop.portal.Error.InvalidArgument";
/** The host's portal takes 200 characters. */
const longSubject: BusDict = { subject: new Variant("s", "x".repeat(201)) };
const compose = ["Email.ComposeEmail", "sa{sv}", ["", longSubject]] as const;

serial("a filter that is none of those is refused by the method, and recorded", async (t) => {
  using program = await world.startProgram();
  const filter = (name: string) => [name, [[0, `*.${name}`]]];
  const options = {
    filters: new Variant("a(sa(us))", [filter("txt")]),
    current_filter: new Variant("(sa(us))", filter("ico")),
  };
  t.is(await program.refusalOf("FileChooser.OpenFile", "ssa{sv}", ["", "Open", options]), invalid);
  await until(async () => (await readLedger(instance)).length > 0);
  t.like((await readLedger(instance)).at(-1), { request: "FileChooser.OpenFile", answer: "failed" });
  t.is(world.backend.named("FileChooser.OpenFile").length, 0);
});

test.serial("what is allowed is refused by the method too", async (t) => {
  await changeSetting(instance, "email", "allow");
  using program = await world.startProgram();
  t.is(await program.refusalOf(...compose), invalid);
});

test.serial("where the user has been asked, it is the response that says so", async (t) => {
  world.backend.answer = ({ name }) => (name.startsWith("Access.") ? yes("once") : undefined);
  using program = await world.startProgram();
  t.is((await program.ask(...compose)).code, 2);
});
