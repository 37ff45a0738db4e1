// The host's camera in a real guest: GStreamer there shows what the camera showed here.
import { readFile } from "node:fs/promises";
import test from "ava";
import { logPath } from "../../src/log.ts";
import { missingForVideo, picture, startCamera } from "../portals/support/cameras.ts";
import { startScriptedHost } from "../portals/support/scripted-host.ts";
import { yes } from "../portals/support/world.ts";
import { needs } from "../support/require.ts";
import { findTestApp } from "../support/test-apps.ts";
import { launchGuest, runIn, useFreshDirectories } from "../vm/guest.ts";

const directories = await useFreshDirectories();
const missing = await missingForVideo();
test.after.always(() => directories.remove());
const { serial } = needs("pipewire", missing);

serial("frames of the host's camera arrive in a guest as they are, and in order", async (t) => {
  await using host = await startScriptedHost();
  await using camera = await startCamera(host.session);
  process.env.DBUS_SESSION_BUS_ADDRESS = host.session.address;
  process.env.XDG_DESKTOP_PORTAL_DIR = host.session.environment.XDG_DESKTOP_PORTAL_DIR ?? "";
  host.backend.answer = () => yes("once");
  const manifest = await findTestApp("camera");
  await using guest = await launchGuest("camera", { manifest, cpus: 2, memoryMib: 1024 });
  const script = await readFile(new URL("take-frames.py", import.meta.url), "utf8");
  const { code, stdout, stderr } = await runIn(guest, ["python3", "-c", script, "30", String(picture.bytes)]);
  t.is(code, 0, stderr);
  const places = stdout
    .trim()
    .split("\n")
    .map((digest) => camera.frames.indexOf(digest));
  t.is(places.length, 30);
  t.false(places.includes(-1), `frames that the camera never had: ${places}`);
  t.deepEqual(
    places,
    places.toSorted((one, other) => one - other),
  );
  const log = await readFile(logPath("camera"), "utf8");
  t.log(log.match(/frames \d+ dropped \d+/g)?.at(-1));
});
