import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test from "ava";
import { type BusDict, Variant } from "../../portals/bus.ts";
import { guestDocuments } from "../../portals/documents.ts";
import { serial } from "./support/fuse.ts";
import { denied, granted, startWorld, yes } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

async function hostFile(name: string): Promise<string> {
  const path = join(world.host.directory, "files", name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `this is ${name}`);
  return path;
}

const uriOf = (path: string) => pathToFileURL(path).href;
const inTree = (uri: unknown) =>
  join(world.documents.directory, fileURLToPath(String(uri)).slice(guestDocuments.length + 1));
/** Says yes to the broker's own question, and answers the dialog that follows. */
function answer(results: BusDict) {
  world.backend.answer = ({ name }) => (name.startsWith("Access.") ? yes("once") : granted(results));
}

serial("Account: the user's name, and the picture as a document", async (t) => {
  const picture = await hostFile("face.png");
  answer({ id: new Variant("s", "mia"), name: new Variant("s", "Mia"), image: new Variant("s", uriOf(picture)) });
  using program = await world.startProgram();
  const reason = { reason: new Variant("s", "To greet you") };
  const { code, results } = await program.ask("Account.GetUserInformation", "sa{sv}", ["", reason]);
  t.is(code, 0);
  t.deepEqual([results.id?.value, results.name?.value], ["mia", "Mia"]);
  t.is(await readFile(inTree(results.image?.value), "utf8"), "this is face.png");
  t.false(String(results.image?.value).includes(world.host.directory));
});

serial("Email: a draft with what the program said, and never a file", async (t) => {
  answer({});
  using program = await world.startProgram();
  const mail = { addresses: new Variant("as", ["a@example.org"]), subject: new Variant("s", "Hello") };
  const { code } = await program.ask("Email.ComposeEmail", "sa{sv}", ["", mail]);
  t.is(code, 0);
  const [, , , given] = world.backend.named("Email.ComposeEmail").at(-1)?.body ?? [];
  t.is((given as BusDict).subject?.value, "Hello");
  t.deepEqual((given as BusDict).addresses?.value, ["a@example.org"]);
  t.false(Object.keys(given as BusDict).some((name) => name.startsWith("attach")));
});

serial("Screenshot: the picture is a document, and its place on the host is not told", async (t) => {
  const picture = await hostFile("screen.png");
  answer({ uri: new Variant("s", uriOf(picture)) });
  using program = await world.startProgram();
  const { code, results } = await program.ask("Screenshot.Screenshot", "sa{sv}", ["", {}]);
  t.is(code, 0);
  t.is(await readFile(inTree(results.uri?.value), "utf8"), "this is screen.png");
  t.false(String(results.uri?.value).includes(world.host.directory));
});

serial("Screenshot: the colour of a point", async (t) => {
  answer({ color: new Variant("(ddd)", [1, 0.5, 0]) });
  using program = await world.startProgram();
  const { code, results } = await program.ask("Screenshot.PickColor", "sa{sv}", ["", {}]);
  t.is(code, 0);
  t.deepEqual(results.color?.value, [1, 0.5, 0]);
});

for (const name of ["Account.GetUserInformation", "Email.ComposeEmail", "Screenshot.Screenshot"]) {
  serial(`${name}: a no is an answer`, async (t) => {
    world.backend.answer = () => denied;
    using program = await world.startProgram();
    const mail = { address: new Variant("s", "a@example.org") };
    t.deepEqual(await program.ask(name, "sa{sv}", ["", mail]), { code: 1, results: {} });
  });
}

/** A document that the user picked for writing or only for reading: its place in the guest's tree. */
async function pick(path: string, isWritable: boolean): Promise<string> {
  const choices = new Variant("a(ss)", [["cloche-may-write", String(isWritable)]]);
  const results = { uris: new Variant("as", [uriOf(path)]), choices };
  world.backend.answer = () => granted(results);
  using program = await world.startProgram();
  const picked = await program.ask("FileChooser.OpenFile", "ssa{sv}", ["", "Open", {}]);
  const [uri] = (picked.results.uris?.value ?? []) as string[];
  return fileURLToPath(String(uri)).slice(guestDocuments.length + 1);
}

serial("Trash: a document goes to the user's trash, where the user says so", async (t) => {
  const path = await hostFile("old.txt");
  const place = await pick(path, true);
  answer({});
  await using guest = await world.startRawGuest();
  const document = { type: "shared", tag: "documents", path: place, writable: true } as const;
  const result = await guest.ask("Trash.TrashFile", "h", [0], [document]);
  t.like(result, { type: "reply", body: [1] }, JSON.stringify(result));
  t.false(existsSync(path));
  const trash = join(world.host.directory, ".local", "share", "Trash", "files");
  t.deepEqual(await readdir(trash), ["old.txt"]);
});

serial("Trash: neither what is there for reading, nor a share's file, nor another's document", async (t) => {
  const path = await hostFile("read-only.txt");
  const place = await pick(path, false);
  await writeFile(join(world.shares.home, "own.txt"), "own");
  answer({});
  await using guest = await world.startRawGuest();
  for (const [tag, wrong] of [
    ["documents", place],
    ["documents", "0123abcd/old.txt"],
    ["documents", `${dirname(place)}/../${place}`],
    ["home", "own.txt"],
  ] as const) {
    const file = { type: "shared", tag, path: wrong, writable: true } as const;
    const result = await guest.ask("Trash.TrashFile", "h", [0], [file]);
    const isMoved = result.type === "reply" && result.body[0] === 1;
    t.false(isMoved, `${wrong}: ${JSON.stringify(result)}`);
  }
  t.true(existsSync(path) && existsSync(join(world.shares.home, "own.txt")));
});
