import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { Variant } from "../../portals/bus.ts";
import { serial } from "./support/fuse.ts";
import { granted, startWorld } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

const at = {
  destination: "org.freedesktop.portal.Documents",
  path: "/org/freedesktop/portal/documents",
  interface: "org.freedesktop.portal.Documents",
};

serial("the tree is where programs look for it", async (t) => {
  using program = await world.startProgram();
  const [path] = await program.bus.call({ ...at, member: "GetMountPoint" });
  t.is((path as Buffer).toString(), "/run/user/1000/doc\0");
});

serial("a picked file is listed by its path in the guest, and by none of the host's", async (t) => {
  const file = join(world.host.directory, "files", "listed.txt");
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, "text");
  world.backend.answer = () => granted({ uris: new Variant("as", [pathToFileURL(file).href]) });
  using program = await world.startProgram();
  const { results } = await program.ask("FileChooser.OpenFile", "ssa{sv}", ["", "Open", {}]);
  const [, , , , , , , id = ""] = String(results.uris?.value).split("/");
  const [listed] = await program.bus.call({ ...at, member: "List", signature: "s", body: [""] });
  const path = `/run/user/1000/doc/${id}/listed.txt`;
  t.is(String((listed as Record<string, Buffer>)[id]), `${path}\0`);
  const [own] = await program.bus.call({ ...at, member: "Info", signature: "s", body: [id] });
  t.is(String(own), `${path}\0`);

  const place = join(world.documents.directory, id, "listed.txt");
  t.is(await readFile(place, "utf8"), "text");
  await program.bus.call({ ...at, member: "Delete", signature: "s", body: [id] });
  t.false(existsSync(place));
  t.is(await readFile(file, "utf8"), "text");
});

serial("another application is not given anything, and another's document is not there", async (t) => {
  using program = await world.startProgram();
  for (const [member, signature, body] of [
    ["GrantPermissions", "ssas", ["abc", "org.example.Other", ["read"]]],
    ["Info", "s", ["abcdef"]],
    ["Delete", "s", ["../x"]],
    ["Add", "hbb", [0, true, false]],
  ] as const) {
    const error = await t.throwsAsync(program.bus.call({ ...at, member, signature, body }));
    t.like(error, { errorName: "org.freedesktop.portal.Error.InvalidArgument" }, member);
  }
});

serial("what becomes a document comes with the place of the tree", async (t) => {
  await writeFile(join(world.shares.home, "own.txt"), "own");
  await using guest = await world.startRawGuest();
  const file = { type: "shared", tag: "home", path: "own.txt", writable: false } as const;
  const place = { mountpoint: { type: "ay", data: Buffer.from("/run/user/1000/doc\0").toString("base64") } };
  for (const [member, signature, body] of [
    ["AddFull", "ahusas", [[0], 0, "", ["read"]]],
    ["AddNamedFull", "hayusas", [0, Buffer.from("new.txt\0").toString("base64"), 0, "", ["read"]]],
  ] as const) {
    const files = member === "AddFull" ? [file] : [{ ...file, path: "" }];
    const answer = await guest.ask(`Documents.${member}`, signature, [...body], files);
    t.deepEqual(answer.type === "reply" && answer.body[1], place, JSON.stringify(answer));
  }
});
