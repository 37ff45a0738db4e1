// The host's screen in a real guest: GStreamer there shows what it showed here. A camera stands in its place.
import { readFile } from "node:fs/promises";
import test from "ava";
import { missingForVideo, picture, startCamera } from "../portals/support/cameras.ts";
import { pickScreen } from "../portals/support/screens.ts";
import { startScriptedHost } from "../portals/support/scripted-host.ts";
import { needs } from "../support/require.ts";
import { findTestApp } from "../support/test-apps.ts";
import { launchGuest, runIn, useFreshDirectories } from "../vm/guest.ts";

const directories = await useFreshDirectories();
const missing = await missingForVideo();
test.after.always(() => directories.remove());
const { serial } = needs("pipewire", missing);

serial("frames of the screen that the user picks arrive in a guest as they are, and in order", async (t) => {
  await using host = await startScriptedHost();
  await using camera = await startCamera(host.session);
  await pickScreen(host.session, host.backend);
  process.env.DBUS_SESSION_BUS_ADDRESS = host.session.address;
  process.env.XDG_DESKTOP_PORTAL_DIR = host.session.environment.XDG_DESKTOP_PORTAL_DIR ?? "";
  const manifest = await findTestApp("camera");
  await using guest = await launchGuest("camera", { manifest, cpus: 2, memoryMib: 1024 });
  const script = await readFile(new URL("take-screen.py", import.meta.url), "utf8");
  const argv = ["python3", "-c", script, "30", "I420", String(picture.bytes)];
  const { code, stdout, stderr } = await runIn(guest, argv);
  t.is(code, 0, stderr);
  const [size, ...digests] = stdout.trim().split("\n");
  t.is(size, `${picture.width} ${picture.height}`);
  const places = digests.map((digest) => camera.frames.indexOf(digest));
  t.is(places.length, 30);
  t.false(places.includes(-1), `frames that the screen never had: ${places}`);
  t.deepEqual(
    places,
    places.toSorted((one, other) => one - other),
  );
});
