// Unmodified applications in microVMs, and files of the user's: picked in the host's dialog, edited, saved.
import { chown, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { Variant } from "../../portals/bus.ts";
import { scaled } from "../../src/deadlines.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { serial } from "../portals/support/fuse.ts";
import { startScriptedHost } from "../portals/support/scripted-host.ts";
import { later, until } from "../portals/support/until.ts";
import { granted } from "../portals/support/world.ts";
import { brightness, keepPicture, startDesktop } from "../support/desktop.ts";
import { contentWhen, drawn, isLike } from "../support/look.ts";

/** Of an emulated guest. */
const windowDeadlineMs = scaled(240_000);
const browserDeadlineMs = scaled(400_000);
/** What a quick user takes. */
const answerMs = scaled(1_000);

const desktop = await startDesktop();
const host = await startScriptedHost(desktop.user);
test.after.always(async () => {
  await desktop[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

interface Running {
  readonly app: string;
  /** The application's window, once its title is like that. */
  windowOf(title: RegExp): Promise<SwayNode>;
  stop(): Promise<void>;
}

/** Starts an application of the catalogue beside the host's portal. */
function run(app: string, options: readonly string[] = [], deadlineMs = windowDeadlineMs): Running {
  const cloche = join(desktop.user.checkout, "bin", "cloche");
  const environment = { DBUS_SESSION_BUS_ADDRESS: host.session.address };
  const running = desktop.start([cloche, "run", app, "--temp", ...options], { environment });
  const over = new AbortController();
  running.then(({ exitCode, stderr }) => over.abort(new Error(`cloche run ended with ${exitCode}: ${stderr}`)));
  return {
    app,
    windowOf(title) {
      const isMeant = ({ app_id, name }: SwayNode) => app_id === `cloche.${app}` && title.test(name ?? "");
      return desktop.waitForWindow(isMeant, deadlineMs, over.signal);
    },
    async stop() {
      await desktop.start([cloche, "stop", app]);
      await running;
    },
  };
}

/** A file of the user's, which is what they will pick. The document portal is mounted: a launch looks for it. */
async function pickedFile(name: string, text: string): Promise<string> {
  const { user } = desktop;
  const directory = await mkdtemp(join(user.directory, "files-"));
  const path = join(directory, name);
  await writeFile(path, text);
  for (const place of [directory, path]) await chown(place, user.uid, user.gid);
  // Qt listens for the response once it has heard the method's reply, so an answer at once can pass it by.
  const answer = granted({ uris: new Variant("as", [pathToFileURL(path).href]) });
  host.backend.answer = () => later(answerMs, answer);
  await host.documentsReady();
  return path;
}

/** Opens the file that is picked, writes at its start, and saves it; then the editor ends. */
async function editsFile(t: ExecutionContext, editor: Running, path: string): Promise<void> {
  await desktop.press("-M", "ctrl", "-k", "o", "-m", "ctrl");
  const { id } = await editor.windowOf(new RegExp(basename(path)));
  const [, , parent, title] = host.backend.named("FileChooser.OpenFile").at(-1)?.body ?? [];
  t.true(String(title).startsWith(`[${editor.app}] `), String(title));
  t.regex(String(parent), /^wayland:./, "the dialog stands before the editor's window");
  await keepPicture(`portal-${editor.app}`, await drawn(desktop, id));

  const before = await readFile(path, "utf8");
  await desktop.type("typed in the guest ");
  await drawn(desktop, id);
  await desktop.press("-M", "ctrl", "-k", "s", "-m", "ctrl");
  await until(async () => (await readFile(path, "utf8")) === `typed in the guest ${before}`);
  await editor.stop();
}

const preferColours = (scheme: "dark" | "light") =>
  host.backend.changeSetting("org.freedesktop.appearance", "color-scheme", new Variant("u", scheme === "dark" ? 1 : 2));

serial("a GTK 4 editor is dark while the host is, and edits a file of the host through the portal", async (t) => {
  const path = await pickedFile("letter.txt", "written on the host\n");
  preferColours("light");
  const editor = run("gnome-text-editor");
  const { id } = await editor.windowOf(/New Document/);
  const light = await drawn(desktop, id);
  t.true(brightness(light) > 200, `${brightness(light)}`);

  preferColours("dark");
  await contentWhen(desktop, id, (content) => brightness(content) < 80);
  await keepPicture("portal-editor-dark", await drawn(desktop, id));
  preferColours("light");
  await contentWhen(desktop, id, (content) => isLike(content, light, 0.01));

  await editsFile(t, editor, path);
});

serial("a Qt 6 editor edits a file of the host through the portal", async (t) => {
  const path = await pickedFile("list.txt", "written on the host\n");
  const editor = run("featherpad");
  const { id } = await editor.windowOf(/Untitled/);
  await drawn(desktop, id);
  await editsFile(t, editor, path);
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

  const options = ["--share", `${site}:ro`, "--", "file:///mnt/site/page.html"];
  const firefox = run("firefox-esr", options, browserDeadlineMs);
  const first = await firefox.windowOf(/ready/);
  await drawn(desktop, first.id);
  await desktop.press("-k", "Return");
  const uploaded = await firefox.windowOf(/got: written on the host/);
  await keepPicture("portal-firefox", await drawn(desktop, uploaded.id));

  await desktop.press("-M", "ctrl", "-k", "s", "-m", "ctrl");
  await until(async () => (await readFile(saved, "utf8").catch(() => "")).includes("input"), scaled(30_000));
  const [, , , title] = host.backend.named("FileChooser.SaveFile").at(-1)?.body ?? [];
  t.regex(String(title), /^\[firefox-esr\] /);
  await firefox.stop();
});
