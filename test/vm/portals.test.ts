// The portals of a real guest: its session bus, our front end, the link, the broker, the host's portal and its documents.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { Variant } from "../../portals/bus.ts";
import { readLedger } from "../../portals/ledger.ts";
import type { LiveInstance } from "../../src/instance/launch.ts";
import { serial } from "../portals/support/fuse.ts";
import { startScriptedHost } from "../portals/support/scripted-host.ts";
import { until } from "../portals/support/until.ts";
import { granted } from "../portals/support/world.ts";
import { launchGuest, shellIn, startIn, useFreshDirectories } from "./guest.ts";

const directories = await useFreshDirectories();
const host = await startScriptedHost();
test.after.always(async () => {
  await host[Symbol.asyncDispose]();
  await directories.remove();
});
process.env.DBUS_SESSION_BUS_ADDRESS = host.session.address;
process.env.XDG_DESKTOP_PORTAL_DIR = host.session.environment.XDG_DESKTOP_PORTAL_DIR ?? "";

const tree = "/run/user/1000/doc";
const portal =
  "dbus-send --session --print-reply --dest=org.freedesktop.portal.Desktop /org/freedesktop/portal/desktop";
const openFile = `${portal} org.freedesktop.portal.FileChooser.OpenFile string: string:Open dict:string:variant:`;
const readScheme = `${portal} org.freedesktop.portal.Settings.Read string:org.freedesktop.appearance string:color-scheme`;

async function hostFile(name: string): Promise<string> {
  const path = join(directories.path, "files", name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "from the host\n");
  return path;
}

/** The path of a document in the guest, once it is there. */
async function documentIn(guest: LiveInstance, name: string): Promise<string> {
  let found = "";
  await until(async () => {
    found = await shellIn(guest, `ls -d ${tree}/*/'${name}' 2>/dev/null`);
    return found !== "";
  });
  return found;
}

serial(
  "a picked file is edited in the guest, saved as a whole, and gone when it is revoked or the instance ends",
  async (t) => {
    const path = await hostFile("a letter.txt");
    host.backend.answer = () => granted({ uris: new Variant("as", [pathToFileURL(path).href]) });
    const guest = await launchGuest("foot@first");
    try {
      t.regex(
        await shellIn(guest, openFile),
        /object path "\/org\/freedesktop\/portal\/desktop\/request\/1_\d+\/cloche\d+"/,
      );
      const place = await documentIn(guest, "a letter.txt");
      t.is(await shellIn(guest, `cat '${place}'`), "from the host");
      // As editors save: beside it, then over it.
      await shellIn(guest, `echo 'from the guest' > '${place}.new' && mv '${place}.new' '${place}'`);
      t.is(await readFile(path, "utf8"), "from the guest\n");
      await writeFile(path, "again from the host\n");
      await until(async () => (await shellIn(guest, `cat '${place}'`)) === "again from the host");

      // What the guest has open stays open until it is closed: the document portal is so.
      const id = place.split("/").at(-2) ?? "";
      const documents = "dbus-send --session --print-reply --dest=org.freedesktop.portal.Documents";
      const remove = `${documents} /org/freedesktop/portal/documents org.freedesktop.portal.Documents.Delete string:${id}`;
      t.regex(
        await shellIn(guest, `${remove} && (cat '${place}' 2>&1; true)`),
        /No such file|Permission denied|cannot open/i,
      );
      t.is(await readFile(path, "utf8"), "again from the host\n");
    } finally {
      await guest.stop(3_000);
    }
    const asked = (await readLedger("foot@first")).map(({ request, answer }) => `${request} ${answer}`);
    t.deepEqual(asked, ["FileChooser.OpenFile allowed"]);
  },
);

serial("another instance has another tree, and dark mode flips in a guest that runs", async (t) => {
  const path = await hostFile("mine.txt");
  host.backend.answer = () => granted({ uris: new Variant("as", [pathToFileURL(path).href]) });
  await using one = await launchGuest("foot@one");
  await using other = await launchGuest("foot@other");
  await shellIn(one, openFile);
  const place = await documentIn(one, "mine.txt");
  t.is(await shellIn(other, `ls -A ${tree}`), "");
  t.regex(await shellIn(other, `cat '${place}' 2>&1; true`), /No such file/);

  t.regex(await shellIn(one, readScheme), /uint32 0/);
  const watch = `timeout 60 dbus-monitor --session "interface='org.freedesktop.portal.Settings'"`;
  const { session, texts } = await startIn(one, ["sh", "-c", watch]);
  await until(() => texts().stdout.includes("NameAcquired"));
  host.backend.changeSetting("org.freedesktop.appearance", "color-scheme", new Variant("u", 1));
  await until(() => /SettingChanged.*uint32 1/s.test(texts().stdout));
  session.signal("TERM");
  t.regex(await shellIn(one, readScheme), /uint32 1/);
});

test.serial("without a session bus an instance runs, and says that it has no portals", async (t) => {
  process.env.DBUS_SESSION_BUS_ADDRESS = "";
  await using guest = await launchGuest("foot@none");
  t.regex(await shellIn(guest, `${readScheme} 2>&1; true`), /ServiceUnknown|was not provided/);
  const log = await readFile(join(directories.path, "state", "cloche", "logs", "foot@none.jsonl"), "utf8");
  t.regex(log, /there is no session bus/);
});
