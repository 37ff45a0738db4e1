// An unmodified editor in a microVM, and a file of the user's: picked in the host's dialog, edited, saved.
import { chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { Variant } from "../../portals/bus.ts";
import { scaled } from "../../src/deadlines.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { serial } from "../portals/support/fuse.ts";
import { startScriptedHost } from "../portals/support/scripted-host.ts";
import { until } from "../portals/support/until.ts";
import { granted } from "../portals/support/world.ts";
import { keepPicture, startDesktop } from "../support/desktop.ts";
import { drawn } from "../support/look.ts";

/** Of an emulated guest. */
const windowDeadlineMs = scaled(240_000);
const browserDeadlineMs = scaled(400_000);

const desktop = await startDesktop();
const host = await startScriptedHost(desktop.user);
test.after.always(async () => {
  await desktop[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

serial("a GTK 4 editor opens, edits and saves a file of the host through the portal", async (t) => {
  const { user } = desktop;
  const directory = join(user.directory, "letters");
  const path = join(directory, "letter.txt");
  await mkdir(directory);
  await writeFile(path, "written on the host\n");
  for (const place of [directory, path]) await chown(place, user.uid, user.gid);
  host.backend.answer = () => granted({ uris: new Variant("as", [pathToFileURL(path).href]) });
  // The document portal is mounted before the editor's launch looks for it.
  await host.documentsReady();

  const environment = { DBUS_SESSION_BUS_ADDRESS: host.session.address };
  const cloche = join(user.checkout, "bin", "cloche");
  const running = desktop.start([cloche, "run", "gnome-text-editor", "--temp"], { environment });
  const over = new AbortController();
  running.then(({ exitCode, stderr }) => over.abort(new Error(`cloche run ended with ${exitCode}: ${stderr}`)));
  const isOurs = ({ app_id, name }: SwayNode, title: RegExp) =>
    app_id === "cloche.gnome-text-editor" && title.test(name ?? "");
  const first = await desktop.waitForWindow((window) => isOurs(window, /New Document/), windowDeadlineMs, over.signal);
  await drawn(desktop, first.id);

  await desktop.press("-M", "ctrl", "-k", "o", "-m", "ctrl");
  const opened = await desktop.waitForWindow((window) => isOurs(window, /letter\.txt/), windowDeadlineMs, over.signal);
  const [, , parent, title] = host.backend.named("FileChooser.OpenFile").at(-1)?.body ?? [];
  t.regex(String(title), /^\[gnome-text-editor\] /);
  t.regex(String(parent), /^wayland:./, "the dialog stands before the editor's window");
  await keepPicture("portal-editor", await drawn(desktop, opened.id));

  await desktop.type("typed in the guest ");
  await drawn(desktop, opened.id);
  await desktop.press("-M", "ctrl", "-k", "s", "-m", "ctrl");
  await until(async () => (await readFile(path, "utf8")) === "typed in the guest written on the host\n");
  t.pass();
  await desktop.start([cloche, "stop", "gnome-text-editor"]);
  await running;
});

/** Its title says what was picked. */
const page = `<!doctype html><title>ready</title><input type=file autofocus id=picked><script>
picked.onchange = async () => { document.title = "got: " + await picked.files[0].text() }
</script>
`;

serial("Firefox uploads a file of the host, and saves one there", async (t) => {
  const { user } = desktop;
  const directory = join(user.directory, "web");
  const site = join(user.directory, "site");
  const path = join(directory, "up.txt");
  for (const place of [directory, site]) await mkdir(place);
  await writeFile(path, "written on the host");
  await writeFile(join(site, "page.html"), page);
  for (const place of [directory, site, path]) await chown(place, user.uid, user.gid);
  const saved = join(directory, "saved.html");
  host.backend.answer = ({ name }) =>
    granted({ uris: new Variant("as", [pathToFileURL(name.endsWith("OpenFile") ? path : saved).href]) });
  await host.documentsReady();

  const environment = { DBUS_SESSION_BUS_ADDRESS: host.session.address };
  const cloche = join(user.checkout, "bin", "cloche");
  const argv = ["run", "firefox-esr", "--temp", "--share", `${site}:ro`, "--", "file:///mnt/site/page.html"];
  const running = desktop.start([cloche, ...argv], { environment });
  const over = new AbortController();
  running.then(({ exitCode, stderr }) => over.abort(new Error(`cloche run ended with ${exitCode}: ${stderr}`)));
  const windowOf = (title: RegExp) =>
    desktop.waitForWindow(
      ({ app_id, name }) => app_id === "cloche.firefox-esr" && title.test(name ?? ""),
      browserDeadlineMs,
      over.signal,
    );
  const first = await windowOf(/ready/);
  await drawn(desktop, first.id);
  await desktop.press("-k", "Return");
  const uploaded = await windowOf(/got: written on the host/);
  await keepPicture("portal-firefox", await drawn(desktop, uploaded.id));

  await desktop.press("-M", "ctrl", "-k", "s", "-m", "ctrl");
  await until(async () => (await readFile(saved, "utf8").catch(() => "")).includes("input"), scaled(30_000));
  const [, , , title] = host.backend.named("FileChooser.SaveFile").at(-1)?.body ?? [];
  t.regex(String(title), /^\[firefox-esr\] /);
  await desktop.start([cloche, "stop", "firefox-esr"]);
  await running;
});
