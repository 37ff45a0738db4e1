import { release } from "node:os";
import { join } from "node:path";
import test from "ava";
import { difference, type Picture } from "../../src/setup/picture.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { contentOf, countColours, keepPicture, startDesktop } from "../support/desktop.ts";
import { filesBelow, mountsNaming, processesNaming } from "../support/leftovers.ts";
import { installPackage } from "./installed.ts";

/** Three guests start at once on two emulated CPUs. */
const windowDeadlineMs = 240_000;
const pictureDeadlineMs = 60_000;
/** Letters are the same, but two versions of foot may round the edges of theirs otherwise. */
const alike = { share: 0.002, tolerance: 64 };

const installed = await installPackage();
const desktop = await startDesktop();
test.after.always(async () => {
  await desktop[Symbol.asyncDispose]();
  await installed[Symbol.asyncDispose]();
});

const has = (appId: string) => (window: SwayNode) => window.app_id === appId;
const cloche = (...args: string[]) => desktop.start([installed.cloche, ...args]);
const runtime = desktop.environment.XDG_RUNTIME_DIR ?? "";
const leftovers = () => ({
  processes: processesNaming(join(runtime, "cloche")),
  instances: filesBelow(join(runtime, "cloche", "instances")),
  mounts: mountsNaming(desktop.user.directory),
});
const nothing = { processes: [], instances: [], mounts: [] };

/** Runs an application until its window shows. Throws with what it said when it ends before. */
async function open(name: string, ...args: string[]) {
  const running = cloche("run", name, ...args);
  const over = new AbortController();
  running.then(({ exitCode, stderr }) => over.abort(new Error(`cloche run ${name} ended with ${exitCode}: ${stderr}`)));
  const appId = `cloche.${name.replace("@", ".")}`;
  return { running, window: await desktop.waitForWindow(has(appId), windowDeadlineMs, over.signal) };
}

/** Shows what foot draws of `script`, in colours and a font that are named. */
const footArguments = (script: string) => [
  ...["--override=font=DejaVu Sans Mono:size=14", "--override=colors.background=102030", "--override=pad=0x0"],
  ...["--override=colors.foreground=f0f0f0", "--override=cursor.blink=no", "sh", "-c", `${script}; exec sleep 1000`],
];

/** What the only window shows, once it has drawn. */
async function drawnBy(appId: string): Promise<Picture> {
  await desktop.waitForWindow(has(appId), windowDeadlineMs);
  await desktop.settledPicture(pictureDeadlineMs);
  // Sway gives a window its place only after it has told of it.
  const window = await desktop.waitForWindow(has(appId), windowDeadlineMs);
  const isDrawn = (picture: Picture) => countColours(contentOf(picture, window)) > 4;
  return contentOf(await desktop.settledPicture(pictureDeadlineMs, isDrawn), window);
}

test.serial("foot shows a window that bears the instance's name, and a kernel that is not the host's", async (t) => {
  const { running, window } = await open("foot");
  t.regex(window.name ?? "", /^\[foot\] /);
  const { stdout, exitCode } = await cloche("exec", "foot", "--", "uname", "-r");
  t.is(exitCode, 0);
  t.not(stdout, release());
  t.regex(stdout, /^\d+\.\d+/);
  t.is((await cloche("stop", "foot")).exitCode, 0);
  await running;
  await desktop.waitForNoWindow(has("cloche.foot"), windowDeadlineMs);
  t.deepEqual(leftovers(), nothing);
});

test.serial("what foot draws in a microVM is what it draws on the host", async (t) => {
  const script = String.raw`printf '\033[?25l\033[48;2;200;30;60m%40s\033[0m\nThe quick brown fox\n\033[48;2;20;160;60m%20s\033[0m'`;
  const direct = desktop.start(["foot", ...footArguments(script)]);
  const expected = await drawnBy("foot");
  direct.kill();
  await direct;
  await desktop.waitForNoWindow(has("foot"), windowDeadlineMs);

  const { running } = await open("foot@picture", "--", ...footArguments(script));
  const actual = await drawnBy("cloche.foot.picture");
  await cloche("stop", "foot@picture");
  await running;
  const differing = difference(expected, actual, alike.tolerance);
  const paths = [await keepPicture("foot-on-the-host", expected), await keepPicture("foot-in-a-microvm", actual)];
  t.true(differing <= alike.share, `${(differing * 100).toFixed(2)} % of the pixels differ: ${paths.join(" ")}`);
});

test.serial("the application's exit status is ours", async (t) => {
  const { exitCode } = await cloche("run", "foot@status", "--temp", "--", "sh", "-c", "exit 7");
  t.is(exitCode, 7);
  t.deepEqual(leftovers(), nothing);
});

test.serial(
  "two instances of one application and another application run at once, each with its own home",
  async (t) => {
    const names = ["foot@work", "foot@home", "mousepad"];
    const opened = await Promise.all(names.map((name) => open(name)));
    t.deepEqual(
      opened.map(({ window: { name } }) => name?.replace(/\].*/, "]")),
      names.map((name) => `[${name}]`),
    );
    await cloche("exec", "foot@work", "--", "touch", "/home/user/mine");
    t.is((await cloche("exec", "foot@work", "--", "test", "-e", "/home/user/mine")).exitCode, 0);
    t.is((await cloche("exec", "foot@home", "--", "test", "-e", "/home/user/mine")).exitCode, 1);
    const { stdout } = await cloche("ps", "--json");
    t.is((JSON.parse(stdout) as unknown[]).length, 3);
    const picture = await desktop.settledPicture(pictureDeadlineMs);
    for (const window of await desktop.sway.windows())
      t.true(countColours(contentOf(picture, window)) > 4, window.name ?? "");
    await keepPicture("three-windows", picture);
    t.is((await cloche("stop", "--all")).exitCode, 0);
    await Promise.all(opened.map(({ running }) => running));
    t.deepEqual(leftovers(), nothing);
  },
);
