// What the user picks of the screen, as nodes of the guest's PipeWire. A camera stands in the place of the screen.
import { type BusDict, Variant } from "../../portals/bus.ts";
import { changeSetting, resetSettings } from "../../portals/permissions.ts";
import { needs } from "../support/require.ts";
import { missingForVideo, readFramesFrom } from "./support/cameras.ts";
import type { Program } from "./support/program.ts";
import { nodesOf, pickScreen, screenFacts } from "./support/screens.ts";
import { until } from "./support/until.ts";
import { denied, instance, startWorld } from "./support/world.ts";

const missing = await missingForVideo();
const { serial } = needs("pipewire", missing);

const notAllowed = "org.freedesktop.portal.Error.NotAllowed";

async function begin(program: Program): Promise<string> {
  const options = { session_handle_token: new Variant("s", "mine") };
  const { results } = await program.ask("ScreenCast.CreateSession", "a{sv}", [options]);
  const session = String(results.session_handle?.value);
  const sources = { types: new Variant("u", 1), cursor_mode: new Variant("u", 2) };
  const { code } = await program.ask("ScreenCast.SelectSources", "oa{sv}", [session, sources]);
  if (code !== 0) throw new Error(`the sources were not selected: ${code}`);
  return session;
}

serial("a screen that the user picks is seen in the guest until the session ends", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  await pickScreen(world.host, world.backend);
  using program = await world.startProgram();
  t.is(await program.property("ScreenCast", "AvailableCursorModes"), 3);
  const session = await begin(program);
  t.is(await program.refusalOf("ScreenCast.OpenPipeWireRemote", "oa{sv}", [session, {}]), notAllowed);
  const { code, results } = await program.ask("ScreenCast.Start", "osa{sv}", [session, "", {}]);
  t.is(code, 0);
  const [[node, facts] = [0, {}]] = (results.streams?.value ?? []) as [number, BusDict][];
  t.deepEqual(facts, screenFacts);
  t.is((await nodesOf(world.guest)).get("cloche-screen-1-0"), node);
  const [remote] = await program.call("ScreenCast.OpenPipeWireRemote", "oa{sv}", [session, {}]);
  const taken = await readFramesFrom(Number(remote), `path=${node}`, world.guest.environment, 30);
  t.is(taken.length, 30);
  t.true(taken.every((frame) => world.camera.frames.includes(frame)));
  t.true(world.inUse.some((names) => names.includes("screen")));
  const at = { destination: "org.freedesktop.portal.Desktop", path: session };
  await program.bus.call({ ...at, interface: "org.freedesktop.portal.Session", member: "Close" });
  await until(async () => !(await nodesOf(world.guest)).has("cloche-screen-1-0"));
});

serial("a screen on which nothing changes is seen by everyone who begins to look", async (t) => {
  await using world = await startWorld({ hasVideo: true, isStill: true });
  await pickScreen(world.host, world.backend);
  using program = await world.startProgram();
  const session = await begin(program);
  const { results } = await program.ask("ScreenCast.Start", "osa{sv}", [session, "", {}]);
  const [[node] = [0]] = (results.streams?.value ?? []) as [number, BusDict][];
  for (const time of ["the first", "the second"]) {
    const [remote] = await program.call("ScreenCast.OpenPipeWireRemote", "oa{sv}", [session, {}]);
    const taken = await readFramesFrom(Number(remote), `path=${node}`, world.guest.environment, 1);
    t.deepEqual(taken, world.camera.frames, time);
  }
});

serial("a no shows nothing, and what is denied later is gone at once", async (t) => {
  await using world = await startWorld({ hasVideo: true });
  await pickScreen(world.host, world.backend);
  const yes = world.backend.answer;
  using program = await world.startProgram();
  const session = await begin(program);
  world.backend.answer = () => denied;
  t.is((await program.ask("ScreenCast.Start", "osa{sv}", [session, "", {}])).code, 1);
  // With its no the host ends the session, of which the guest hears soon.
  t.truthy(await program.refusalOf("ScreenCast.OpenPipeWireRemote", "oa{sv}", [session, {}]));

  world.backend.answer = yes;
  using watcher = await world.startProgram();
  const mine = await begin(watcher);
  t.is((await watcher.ask("ScreenCast.Start", "osa{sv}", [mine, "", {}])).code, 0);
  await changeSetting(instance, "screen-cast", "deny");
  await until(async () => ![...(await nodesOf(world.guest)).keys()].some((name) => name.startsWith("cloche-screen")));
  await resetSettings(instance);
  t.pass();
});
