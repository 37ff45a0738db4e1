// The camera, from a PipeWire on the host through the real portal, the broker and a jail to another PipeWire, the guest's.
import { execa } from "execa";
import * as fdpass from "../../native/fdpass/index.ts";
import { type BusDict, Variant } from "../../portals/bus.ts";
import { changeSetting } from "../../portals/permissions.ts";
import { needs } from "../support/require.ts";
import { missingForVideo, readFramesFrom } from "./support/cameras.ts";
import type { Program } from "./support/program.ts";
import { until } from "./support/until.ts";
import { denied, instance, startWorld, yes } from "./support/world.ts";

const missing = await missingForVideo();
const { serial } = needs("pipewire", missing);

const access = (program: Program) => program.ask("Camera.AccessCamera", "a{sv}", [{}]);

async function takeFrames(
  program: Program,
  environment: Readonly<Record<string, string>>,
  count: number,
  signal?: AbortSignal,
) {
  const [remote] = await program.call("Camera.OpenPipeWireRemote", "a{sv}", [{}]);
  return readFramesFrom(Number(remote), "target-object=cloche-camera", environment, count, signal && { signal });
}

serial("the frames of the host's camera reach the guest as they are, in order, while somebody looks", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  world.backend.answer = () => yes("once");
  using program = await world.startProgram();
  t.is((await access(program)).code, 0);
  const taken = await takeFrames(program, world.guest.environment, 60);
  t.is(taken.length, 60);
  const places = taken.map((frame) => world.camera.frames.indexOf(frame));
  t.false(places.includes(-1), `frames that the camera never had: ${places}`);
  t.deepEqual(
    places,
    places.toSorted((one, other) => one - other),
  );
  await until(() => world.inUse.at(-1)?.length === 0);
  t.true(world.inUse.some((names) => names.includes("camera")));
  t.true(world.said.some((line) => /frames \d+ dropped \d+$/.test(line)));
  // With the program the camera goes.
  program[Symbol.dispose]();
  const inGuest = { env: world.guest.environment, extendEnv: false };
  await until(async () => !(await execa("pw-dump", inGuest)).stdout.includes("cloche-camera"));
});

serial("without AccessCamera there is no camera, nor after a no", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  using program = await world.startProgram();
  const refusal = () => program.refusalOf("Camera.OpenPipeWireRemote", "a{sv}", [{}]);
  t.is(await refusal(), "org.freedesktop.portal.Error.NotAllowed");
  world.backend.answer = () => denied;
  t.is((await access(program)).code, 1);
  t.is(await refusal(), "org.freedesktop.portal.Error.NotAllowed");
});

serial("a camera that is denied while it is in use is off at once, in the guest too", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  world.backend.answer = () => yes("running");
  using program = await world.startProgram();
  t.is((await access(program)).code, 0);
  const over = new AbortController();
  const taking = takeFrames(program, world.guest.environment, 10_000, over.signal).catch((error) => error);
  await until(() => world.inUse.at(-1)?.includes("camera") ?? false, 30_000);
  await changeSetting(instance, "camera", "deny");
  await until(() => world.inUse.at(-1)?.length === 0);
  const inGuest = { env: world.guest.environment, extendEnv: false };
  await until(async () => !(await execa("pw-dump", inGuest)).stdout.includes("cloche-camera"));
  over.abort();
  t.true((await taking) instanceof Error);
  t.is(await program.refusalOf("Camera.OpenPipeWireRemote", "a{sv}", [{}]), "org.freedesktop.portal.Error.NotAllowed");
});

serial("while the camera is in use a notification says so, and its button stops it", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  world.backend.answer = () => yes("once");
  using program = await world.startProgram();
  t.is((await access(program)).code, 0);
  const over = new AbortController();
  const taking = takeFrames(program, world.guest.environment, 10_000, over.signal).catch(() => {});
  const shown = () => world.backend.named("Notification.AddNotification");
  await until(() => world.camera.frames.length > 0, 30_000);
  await until(() => shown().length > 0);
  const [appId, id, notification] = (shown().at(-1)?.body ?? []) as [string, string, BusDict];
  t.is(notification.title?.value, `[${instance}] uses the camera`);
  world.backend.invokeAction(appId, id, "stop");
  await until(() => world.inUse.at(-1)?.length === 0);
  await until(() => world.backend.named("Notification.RemoveNotification").length > 0);
  over.abort();
  await taking;
  const refused = "org.freedesktop.portal.Error.NotAllowed";
  t.is(await program.refusalOf("Camera.OpenPipeWireRemote", "a{sv}", [{}]), refused);
  // No program of the guest can speak in its place.
  const forged = ["dev.cloche.in-use", { title: new Variant("s", "all is well") }];
  const invalid = "org.freedesktop.portal.Error.InvalidArgument";
  t.is(await program.refusalOf("Notification.AddNotification", "sa{sv}", forged), invalid);
});

serial("a program may ask as often as it likes; a camera that goes takes its node along", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  world.backend.answer = () => yes("once");
  using program = await world.startProgram();
  t.is((await access(program)).code, 0);
  for (let turn = 0; turn < 40; turn++) {
    const [remote] = await program.call("Camera.OpenPipeWireRemote", "a{sv}", [{}]);
    fdpass.close(Number(remote));
  }
  const inGuest = { env: world.guest.environment, extendEnv: false };
  const cameras = async () =>
    (await execa("pw-dump", inGuest)).stdout.match(/"node.name": "cloche-camera"/g)?.length ?? 0;
  t.is(await cameras(), 1);
  await world.camera[Symbol.asyncDispose]();
  await until(async () => (await cameras()) === 0);
  t.is(await program.refusalOf("Camera.OpenPipeWireRemote", "a{sv}", [{}]), "org.freedesktop.portal.Error.Failed");
});
