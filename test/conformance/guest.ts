// A guest beside the session bus that a test of xdg-desktop-portal has started: a bus of its own with our front end, and the broker.
// Prints the bus's address when programs can ask, and ends with its standard input. Everything is allowed beforehand.
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Bus } from "../../portals/bus.ts";
import { Consents } from "../../portals/consent.ts";
import { Documents, guestDocuments } from "../../portals/documents.ts";
import { HostPortal } from "../../portals/host-portal.ts";
import { Ledger } from "../../portals/ledger.ts";
import { Bucket } from "../../portals/limits.ts";
import { changeSetting, isPermission, permissions } from "../../portals/permissions.ts";
import { SharedFiles } from "../../portals/shared-files.ts";
import { startFront } from "../portals/support/front.ts";
import { startSession } from "../portals/support/session.ts";
import { appId, instance } from "../portals/support/world.ts";

const shared = { home: "HOME", tmp: "TMPDIR" } as const;

await using cleanup = new AsyncDisposableStack();
for (const name of Object.keys(permissions)) if (isPermission(name)) await changeSetting(instance, name, "allow");
const guest = cleanup.use(await startSession());
const bus = cleanup.use(await Bus.connect(process.env.DBUS_SESSION_BUS_ADDRESS));
const host = cleanup.use(await HostPortal.open(bus));
const documents = await Documents.open(bus, appId);
const shares = Object.entries(shared).map(([tag, variable]) => ({
  tag,
  directory: process.env[variable] ?? "",
  readOnly: false,
}));
const places = shares.map(({ tag, directory }) => ({ tag, path: directory }));
if (documents !== undefined) {
  shares.push({ tag: "documents", directory: documents.directory, readOnly: false });
  places.push({ tag: "documents", path: guestDocuments });
  await mkdir(guestDocuments, { recursive: true });
  await execa("mount", ["--bind", documents.directory, guestDocuments]);
  cleanup.defer(async () => {
    await execa("umount", ["--lazy", guestDocuments]);
  });
}
const ledger = new Ledger(instance);
cleanup.defer(() => ledger.flush());

/** What the kernel of a guest says of its shares. */
const mounts = join(guest.directory, "mountinfo");
await writeFile(mounts, places.map(({ tag, path }) => `1 1 0:1 / ${path} rw - virtiofs ${tag} rw\n`).join(""));
const seeingShares = ["sh", "-c", 'mount --bind "$0" /proc/$$/mountinfo && exec "$@"', mounts];

cleanup.use(
  await startFront(
    guest,
    {
      instance,
      bus,
      host,
      consents: Consents.onDesktop(bus, instance, appId),
      ledger,
      shared: new SharedFiles(shares),
      documents,
      media: undefined,
      exportedWindows: new Set(),
      hasNetwork: true,
      log: (message) => console.error(message),
      bucket: new Bucket(),
    },
    { through: seeingShares },
  ),
);
console.log(guest.address);
process.stdin.resume();
await once(process.stdin, "end");
