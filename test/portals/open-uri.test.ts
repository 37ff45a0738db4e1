import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { type BusDict, Variant } from "../../portals/bus.ts";
import { changeSetting } from "../../portals/permissions.ts";
import { serial } from "./support/fuse.ts";
import { granted, instance, startWorld } from "./support/world.ts";

const world = await startWorld();
test.after.always(() => world[Symbol.asyncDispose]());

const invalid = "org.freedesktop.portal.Error.InvalidArgument";

for (const uri of [
  "javascript:alert(1)",
  "ssh://-oProxyCommand=x",
  "ftp://example.org/",
  "http://",
  "https://example.org/a b",
  "https://example.org/\nx",
  "https://example.org/\\x",
  "mailto:a@example.org?attach=/etc/passwd",
  "mailto:a@example.org?subject=x&%61ttachment=/etc/passwd",
  `https://example.org/${"x".repeat(4096)}`,
  "file:///etc/passwd",
  "file:///run/user/1000/doc/../../etc/passwd",
  "file:///run/user/1000/document",
]) {
  serial(`${JSON.stringify(uri.slice(0, 60))} is not opened`, async (t) => {
    using program = await world.startProgram();
    const before = world.backend.calls.length;
    t.is(await program.refusalOf("OpenURI.OpenURI", "ssa{sv}", ["", uri, {}]), invalid);
    t.is(world.backend.calls.length, before);
  });
}

serial("a link is opened by the application that the user picks", async (t) => {
  world.backend.answer = () => [1, {}];
  using program = await world.startProgram();
  const { code } = await program.ask("OpenURI.OpenURI", "ssa{sv}", ["", "https://example.org/?q=1#x", {}]);
  // No application is installed in this session for it: the host's portal says so, or asks.
  t.true(code === 1 || code === 2);
});

serial("a document of the instance is shown to the host by its own path", async (t) => {
  const path = join(world.host.directory, "files", "page.txt");
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "text");
  world.backend.answer = () => granted({ uris: new Variant("as", [pathToFileURL(path).href]) });
  using program = await world.startProgram();
  const { results } = await program.ask("FileChooser.OpenFile", "ssa{sv}", ["", "Open", {}]);
  const [uri] = ((results as BusDict).uris?.value ?? []) as string[];
  world.backend.answer = () => [1, {}];
  const { code } = await program.ask("OpenURI.OpenURI", "ssa{sv}", ["", uri, {}]);
  t.true(code === 1 || code === 2);
});

serial("denied for good, nothing is opened", async (t) => {
  await changeSetting(instance, "open-uri", "deny");
  t.teardown(() => changeSetting(instance, "open-uri", undefined));
  using program = await world.startProgram();
  t.is((await program.ask("OpenURI.OpenURI", "ssa{sv}", ["", "https://example.org/", {}])).code, 1);
});
