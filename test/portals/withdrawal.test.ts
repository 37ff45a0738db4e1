// What the user denies while it is in use ends at once.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test from "ava";
import { Variant } from "../../portals/bus.ts";
import { guestDocuments } from "../../portals/documents.ts";
import { changeSetting, resetSettings } from "../../portals/permissions.ts";
import { serial } from "./support/fuse.ts";
import { until } from "./support/until.ts";
import { granted, instance, startWorld, yes } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());
test.afterEach.always(() => resetSettings(instance));

serial("documents are gone from the tree when files are denied, and the files stay", async (t) => {
  const path = join(world.host.directory, "files", "lent.txt");
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, "lent");
  world.backend.answer = () => granted({ uris: new Variant("as", [pathToFileURL(path).href]) });
  using program = await world.startProgram();
  const { results } = await program.ask("FileChooser.OpenFile", "ssa{sv}", ["", "Open", {}]);
  const [uri] = (results.uris?.value ?? []) as string[];
  const place = join(world.documents.directory, fileURLToPath(String(uri)).slice(guestDocuments.length + 1));
  t.true(existsSync(place));
  await changeSetting(instance, "notification", "deny");
  await changeSetting(instance, "file-chooser", "deny");
  await until(() => !existsSync(place));
  t.true(existsSync(path));
});

serial("a dialog that is open closes, and the program hears that it was no", async (t) => {
  world.backend.answer = () => undefined;
  using program = await world.startProgram();
  const request = await program.request("FileChooser.OpenFile", "ssa{sv}", ["", "Open", {}]);
  await until(() => world.backend.open.length === 1);
  await changeSetting(instance, "file-chooser", "deny");
  t.deepEqual(await request.response, { code: 1, results: {} });
  await until(() => world.backend.open.length === 0);
});

test.serial("what lasts ends: the computer may sleep again, and a session is closed", async (t) => {
  world.backend.answer = ({ name }) => (name.startsWith("Access.") ? yes("once") : granted());
  using program = await world.startProgram();
  const { code } = await program.ask("Inhibit.Inhibit", "sua{sv}", ["", 8, {}]);
  t.is(code, 0);
  const begun = await program.ask("GlobalShortcuts.CreateSession", "a{sv}", [
    { session_handle_token: new Variant("s", "mine") },
  ]);
  const ended: string[] = [];
  const match = { interface: "org.freedesktop.portal.Session", member: "Closed" };
  await using _ = await program.bus.onSignal(match, (signal) => ended.push(signal.path));
  await changeSetting(instance, "inhibit", "deny");
  await until(() => world.backend.named("Inhibit.Inhibit").every(({ isClosed }) => isClosed));
  t.deepEqual(ended, []);
  await changeSetting(instance, "global-shortcuts", "deny");
  await until(() => ended.length === 1);
  t.deepEqual(ended, [String(begun.results.session_handle?.value)]);
});
