import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test from "ava";
import { type BusDict, Variant } from "../../portals/bus.ts";
import { guestDocuments } from "../../portals/documents.ts";
import { readLedger } from "../../portals/ledger.ts";
import { changeSetting } from "../../portals/permissions.ts";
import { serial } from "./support/fuse.ts";
import { later, until } from "./support/until.ts";
import { denied, granted, instance, startWorld } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

const openFile = ["FileChooser.OpenFile", "ssa{sv}"] as const;
const uris = (...paths: string[]) =>
  new Variant(
    "as",
    paths.map((path) => pathToFileURL(path).href),
  );

async function hostFile(name: string, text = "from the host"): Promise<string> {
  const path = join(world.host.directory, "files", name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** What the guest has at a path of its tree, as virtiofs shows it. */
function inTree(uri: unknown): string {
  const path = fileURLToPath(String(uri));
  return join(world.documents.directory, path.slice(guestDocuments.length + 1));
}

serial("the picked file is in the guest's tree, by its name, and live in both directions", async (t) => {
  const path = await hostFile("letter & more.txt");
  world.backend.answer = () => granted({ uris: uris(path), writable: new Variant("b", true) });
  using program = await world.startProgram();
  const { code, results } = await program.ask(...openFile, ["", "Open", {}]);
  t.is(code, 0);
  const [uri] = urisOf(results);
  t.true(uri?.startsWith(`file://${guestDocuments}/`), uri);
  const place = inTree(uri);
  t.is(basename(place), "letter & more.txt");
  t.is(await readFile(place, "utf8"), "from the host");
  await writeFile(place, "from the guest");
  t.is(await readFile(path, "utf8"), "from the guest");
  await writeFile(path, "from the host again");
  t.is(await readFile(place, "utf8"), "from the host again");
});

serial("the host's dialog names the instance, and gets what the program asked for and nothing else", async (t) => {
  world.backend.answer = () => denied;
  using program = await world.startProgram();
  const filter = ["Text", [[0, "*.txt"]]];
  await program.ask(...openFile, [
    "wayland:somebody-elses",
    "Open",
    {
      multiple: new Variant("b", true),
      filters: new Variant("a(sa(us))", [filter]),
      current_folder: new Variant("ay", Buffer.from("/home/user/\0")),
      unknown: new Variant("s", "dropped"),
    },
  ]);
  const call = world.backend.named("FileChooser.OpenFile").at(-1);
  const [, , parent, title, options] = call?.body ?? [];
  t.is(parent, "");
  t.is(title, `[${instance}] Open`);
  const given = options as Record<string, Variant>;
  t.deepEqual(given.filters?.value, [filter]);
  t.is(given.multiple?.value, true);
  t.false("unknown" in given || "current_folder" in given);
});

serial("a window of the instance is the dialog's parent", async (t) => {
  world.backend.answer = () => denied;
  using program = await world.startProgram();
  await program.ask(...openFile, ["wayland:exported", "Open", {}]);
  t.is(world.backend.named("FileChooser.OpenFile").at(-1)?.body[2], "wayland:exported");
});

serial("cancelling is an answer", async (t) => {
  world.backend.answer = () => denied;
  using program = await world.startProgram();
  t.like(await program.ask(...openFile, ["", "Open", {}]), { code: 1, results: {} });
});

serial("closing the request closes the dialog, and nothing is answered", async (t) => {
  world.backend.answer = () => undefined;
  using program = await world.startProgram();
  const request = await program.request(...openFile, ["", "Open", {}]);
  await until(() => world.backend.open.length === 1);
  await request.close();
  await until(() => world.backend.open.length === 0);
  t.is(await Promise.race([request.response.then(() => "answered"), later(300, "nothing")]), "nothing");
});

serial("a program that leaves the bus leaves no dialog behind", async (t) => {
  world.backend.answer = () => undefined;
  const program = await world.startProgram();
  await program.request(...openFile, ["", "Open", {}]);
  await until(() => world.backend.open.length === 1);
  program[Symbol.dispose]();
  await until(() => world.backend.open.length === 0);
  t.pass();
});

serial("another program cannot close it", async (t) => {
  world.backend.answer = () => undefined;
  using program = await world.startProgram();
  using other = await world.startProgram();
  const request = await program.request(...openFile, ["", "Open", {}]);
  await until(() => world.backend.open.length === 1);
  const close = {
    destination: "org.freedesktop.portal.Desktop",
    path: request.path,
    interface: "org.freedesktop.portal.Request",
    member: "Close",
  };
  const error = await t.throwsAsync(other.bus.call(close));
  t.like(error, { errorName: "org.freedesktop.DBus.Error.AccessDenied" });
  t.is(world.backend.open.length, 1);
  await request.close();
});

serial("a file that the instance may not change cannot be written", async (t) => {
  const path = await hostFile("read-only.txt");
  const choices = new Variant("a(ss)", [["cloche-may-write", "false"]]);
  world.backend.answer = () => granted({ uris: uris(path), choices });
  using program = await world.startProgram();
  const { results } = await program.ask(...openFile, ["", "Open", {}]);
  const place = inTree(urisOf(results)[0]);
  t.is(await readFile(place, "utf8"), "from the host");
  t.is(results.choices, undefined);
  await t.throwsAsync(writeFile(place, "changed"), { code: "EACCES" });
  t.is(await readFile(path, "utf8"), "from the host");
});

serial("saving makes the file where the user said, and replaces it as a whole", async (t) => {
  const path = join(dirname(await hostFile("x")), "saved.txt");
  world.backend.answer = () => granted({ uris: uris(path) });
  using program = await world.startProgram();
  const options = { current_name: new Variant("s", "saved.txt") };
  const { code, results } = await program.ask("FileChooser.SaveFile", "ssa{sv}", ["", "Save", options]);
  t.is(code, 0);
  t.false(existsSync(path));
  const place = inTree(urisOf(results)[0]);
  await writeFile(place, "saved in the guest");
  t.is(await readFile(path, "utf8"), "saved in the guest");
});

serial("several files, and a folder with what is in it", async (t) => {
  const paths = [await hostFile("one.txt", "1"), await hostFile("two.txt", "2")];
  world.backend.answer = () => granted({ uris: uris(...paths) });
  using program = await world.startProgram();
  const several = await program.ask(...openFile, ["", "Open", { multiple: new Variant("b", true) }]);
  const texts = urisOf(several.results).map((uri) => readFile(inTree(uri), "utf8"));
  t.deepEqual(await Promise.all(texts), ["1", "2"]);

  const folder = dirname(paths[0] ?? "");
  world.backend.answer = () => granted({ uris: uris(folder) });
  const one = await program.ask(...openFile, ["", "Open", { directory: new Variant("b", true) }]);
  const place = inTree(urisOf(one.results)[0]);
  t.is(await readFile(join(place, "two.txt"), "utf8"), "2");
});

serial("a file that the user reaches by a link is that file", async (t) => {
  const path = await hostFile("real.txt", "linked");
  const link = join(dirname(path), "link.txt");
  await symlink(path, link);
  world.backend.answer = () => granted({ uris: uris(link) });
  using program = await world.startProgram();
  const { results } = await program.ask(...openFile, ["", "Open", {}]);
  t.is(await readFile(inTree(urisOf(results)[0]), "utf8"), "linked");
});

for (const [what, option] of [
  ["a name with a slash", { current_name: new Variant("s", "../../x") }],
  ["a folder with a NUL inside", { current_folder: new Variant("ay", Buffer.from("/etc\0/x\0")) }],
  ["a folder without its NUL", { current_folder: new Variant("ay", Buffer.from("/etc")) }],
  ["an option of another type", { modal: new Variant("s", "yes") }],
  ["filters without end", { filters: new Variant("a(sa(us))", Array(65).fill(["x", []])) }],
] as const) {
  serial(`${what} is refused before the host hears of it`, async (t) => {
    using program = await world.startProgram();
    const before = world.backend.calls.length;
    const token = { handle_token: new Variant("s", "t") };
    const refused = await program.refusalOf("FileChooser.SaveFile", "ssa{sv}", ["", "Save", { ...option, ...token }]);
    t.is(refused, "org.freedesktop.portal.Error.InvalidArgument");
    t.is(world.backend.calls.length, before);
  });
}

serial("what the user has denied for good is refused without a dialog, and written down", async (t) => {
  await changeSetting(instance, "file-chooser", "deny");
  t.teardown(() => changeSetting(instance, "file-chooser", undefined));
  using program = await world.startProgram();
  const before = world.backend.calls.length;
  t.is((await program.ask(...openFile, ["", "Open", {}])).code, 1);
  t.is(world.backend.calls.length, before);
  const isDenied = async () => (await readLedger(instance)).at(-1)?.answer === "denied";
  await until(isDenied);
  t.like((await readLedger(instance)).at(-1), {
    permission: "file-chooser",
    request: "FileChooser.OpenFile",
    answer: "denied",
    by: "setting",
  });
});

const urisOf = ({ uris: given }: BusDict): string[] => (given?.value ?? []) as string[];
