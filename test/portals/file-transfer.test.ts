import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { Bus, Variant } from "../../portals/bus.ts";
import { documentsName, documentsPath, guestDocuments } from "../../portals/documents.ts";
import { Bucket } from "../../portals/limits.ts";
import { serial } from "./support/fuse.ts";
import { startWorld } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

const invalid = "org.freedesktop.portal.Error.InvalidArgument";
const at = {
  destination: documentsName,
  path: documentsPath,
  interface: "org.freedesktop.portal.FileTransfer",
};
const inHome = (path: string) => ({ type: "shared", tag: "home", path, writable: true }) as const;

/** A file of the host, offered by an application of the host: its key. */
async function offerOnHost(bus: Bus, path: string): Promise<unknown> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "from the host");
  const writable = { writable: new Variant("b", true) };
  const [key] = await bus.call({ ...at, member: "StartTransfer", signature: "a{sv}", body: [writable] });
  const fd = openSync(path, "r+");
  try {
    await bus.call({ ...at, member: "AddFiles", signature: "saha{sv}", body: [key, [fd], {}] });
  } finally {
    closeSync(fd);
  }
  return key;
}

serial("what the host's application offers is a document of the instance, for reading", async (t) => {
  using host = await Bus.connect(world.host.address);
  using program = await world.startProgram();
  const key = await offerOnHost(host, join(world.host.directory, "files", "dropped.txt"));
  const [paths] = await program.bus.call({ ...at, member: "RetrieveFiles", signature: "sa{sv}", body: [key, {}] });
  const [path = ""] = paths as string[];
  t.regex(path, /^\/run\/user\/1000\/doc\/[0-9a-f]+\/dropped\.txt$/);
  const place = join(world.documents.directory, path.slice(guestDocuments.length + 1));
  t.is(await readFile(place, "utf8"), "from the host");
  await t.throwsAsync(writeFile(place, "changed"), { code: "EACCES" });
});

serial(
  "what a program offers of a share reaches the host's application, and the program hears when it is over",
  async (t) => {
    using host = await Bus.connect(world.host.address);
    await using guest = await world.startRawGuest();
    await writeFile(join(world.shares.home, "note.txt"), "from the guest");
    const begun = await guest.ask("FileTransfer.StartTransfer", "a{sv}", [{}]);
    if (begun.type !== "reply") return t.fail(JSON.stringify(begun));
    const key = String(begun.body[0]);
    t.like(await guest.ask("FileTransfer.AddFiles", "saha{sv}", [key, [0], {}], [inHome("note.txt")]), {
      type: "reply",
    });
    const [paths] = await host.call({ ...at, member: "RetrieveFiles", signature: "sa{sv}", body: [key, {}] });
    t.deepEqual(paths, [join(world.shares.home, "note.txt")]);
    const over = await guest.hear(({ type }) => type === "signal");
    t.like(over, { interface: at.interface, member: "TransferClosed", body: [key] });
  },
);

serial("nothing outside a share is offered", async (t) => {
  using program = await world.startProgram();
  const [key] = await program.bus.call({ ...at, member: "StartTransfer", signature: "a{sv}", body: [{}] });
  const own = openSync("/etc/hostname", "r");
  const call = { ...at, member: "AddFiles", signature: "saha{sv}", body: [key, [own], {}] };
  t.like(await t.throwsAsync(program.bus.call(call)), { errorName: invalid });
  closeSync(own);

  await using guest = await world.startRawGuest();
  await writeFile(join(world.shares.home, "here.txt"), "");
  for (const path of ["../files/dropped.txt", "/etc/passwd", "here.txt/..", "none"]) {
    const answer = await guest.ask("FileTransfer.AddFiles", "saha{sv}", [key, [0], {}], [inHome(path)]);
    t.like(answer, { type: "error", name: invalid }, path);
  }
  const answer = await guest.ask("FileTransfer.AddFiles", "saha{sv}", [key, [0], {}], [{ type: "local" }]);
  t.like(answer, { type: "error", name: invalid });
});

serial("another application's transfer is not this instance's to change", async (t) => {
  using host = await Bus.connect(world.host.address);
  using program = await world.startProgram();
  const key = await offerOnHost(host, join(world.host.directory, "files", "kept.txt"));
  await t.throwsAsync(program.bus.call({ ...at, member: "StopTransfer", signature: "s", body: [key] }));
  const [paths] = await program.bus.call({ ...at, member: "RetrieveFiles", signature: "sa{sv}", body: [key, {}] });
  t.is((paths as string[]).length, 1);
});

serial("keys are not found by trying", async (t) => {
  await using guest = await world.startRawGuest(new Bucket());
  const names: unknown[] = [];
  for (let key = 1; key <= 100; key += 1) {
    const answer = await guest.ask("FileTransfer.RetrieveFiles", "sa{sv}", [String(key), {}]);
    names.push(answer.type === "error" ? answer.name : answer.type);
  }
  const tried = names.filter((name) => name !== "org.freedesktop.DBus.Error.LimitsExceeded");
  t.true(tried.length < 12 && !tried.includes("reply"), JSON.stringify(tried));
});
