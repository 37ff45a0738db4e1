import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import test from "ava";
import { readPortalVersion } from "../../portals/portal-version.ts";

const chooser = "org.freedesktop.portal.FileChooser";

test.serial("without a session bus it is said so", async (t) => {
  delete process.env.DBUS_SESSION_BUS_ADDRESS;
  const error = await t.throwsAsync(readPortalVersion(chooser));
  t.regex(error?.message ?? "", /DBUS_SESSION_BUS_ADDRESS is not set/);
});

test.serial("a bus that nobody listens on is named", async (t) => {
  process.env.DBUS_SESSION_BUS_ADDRESS = "unix:path=/nonexistent/bus";
  t.like(await t.throwsAsync(readPortalVersion(chooser)), { code: "unsupported" });
});

test.serial("a private bus without a portal answers that there is none", async (t) => {
  const daemon = spawn("dbus-daemon", ["--session", "--nofork", "--print-address"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [address]: string[] = await once(createInterface({ input: daemon.stdout }), "line");
  process.env.DBUS_SESSION_BUS_ADDRESS = address;
  process.env.XDG_DATA_DIRS = "/nonexistent";
  const error = await t.throwsAsync(readPortalVersion(chooser));
  daemon.kill();
  await once(daemon, "exit");
  t.like(error, { code: "unsupported", message: `no portal of this desktop answers for ${chooser}` });
});
