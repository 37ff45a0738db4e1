// Programs of every toolkit in one machine: their windows, what they show, input, resizing and closing.
import type { Readable } from "node:stream";
import test, { type ExecutionContext } from "ava";
import { scaled } from "../../src/deadlines.ts";
import { difference, type Picture } from "../../src/setup/picture.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { contentOf, countColours, keepPicture } from "../support/desktop.ts";
import { caretShare, contentWhen, drawn, isLike } from "../support/look.ts";
import type { OpenWindow } from "../support/machine.ts";
import { startPointedDesktop } from "../support/pointed-desktop.ts";
import { pressInX11 } from "../support/x11-keys.ts";

const deadlineMs = scaled(60_000);
const started = await startPointedDesktop();
const { desktop, pointer, machine, direct } = started;
test.after.always(() => started[Symbol.asyncDispose]());
// weston-simple-damage draws into two buffers, of which sway keeps one while it resizes a window.
test.before(() => desktop.sway.run('for_window [title="simple-damage$"] floating enable'));

type Act = (window: SwayNode, program: OpenWindow["program"]) => Promise<void>;
const nothing: Act = async () => {};

/** Where the pointer is out of the way. */
const park = () => pointer.move(1279, 799);

async function shows({ window, program }: OpenWindow, act: Act): Promise<Picture> {
  await park();
  await drawn(desktop, window.id);
  await act(window, program);
  return drawn(desktop, window.id);
}

/** Resolves when a program says something like it from now on. */
function said(output: Readable, words: RegExp): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = "";
  const hear = (chunk: Buffer) => {
    text += chunk;
    if (words.test(text)) resolve();
  };
  const timer = setTimeout(() => reject(new Error(`it said nothing like ${words}: ${text}`)), deadlineMs);
  output.on("data", hear);
  return promise.finally(() => {
    clearTimeout(timer);
    output.off("data", hear);
  });
}

async function close({ program, window }: OpenWindow) {
  await desktop.sway.run(`[con_id=${window.id}] kill`);
  await desktop.waitForNoWindow(({ id }) => id === window.id, deadlineMs);
  return program;
}

/** An editor would ask what to do with its text. */
async function abandon({ program, window }: OpenWindow) {
  program.kill();
  await desktop.waitForNoWindow(({ id }) => id === window.id, deadlineMs);
}

/** Without a machine, on the same desktop, alone like the other. */
async function openDirect(argv: readonly string[], title: RegExp): Promise<OpenWindow> {
  const program = direct.start(argv);
  const over = new AbortController();
  program.then(({ stderr }) => over.abort(new Error(`${argv[0]} ended: ${stderr}`)));
  const matches = ({ name }: SwayNode) => name !== null && title.test(name);
  return { program, window: await desktop.waitForWindow(matches, deadlineMs, over.signal) };
}

/** The same program with the same input, once without and once in the machine, comes to the same picture. It stays open. */
async function looksAlike(
  t: ExecutionContext,
  argv: readonly string[],
  title: RegExp,
  act = nothing,
  share = caretShare,
): Promise<OpenWindow> {
  const name = argv.find((word) => !/=|^(env|stdbuf|-oL)$/.test(word)) ?? "";
  const expectedIn = await openDirect(argv, title);
  const expected = await shows(expectedIn, act);
  await abandon(expectedIn);
  const opened = await machine.open(argv, title);
  const actual = await shows(opened, act);
  const paths = [await keepPicture(`${name}-direct`, expected), await keepPicture(`${name}-in-a-machine`, actual)];
  const differing = difference(expected, actual);
  t.true(differing <= share, `${(differing * 100).toFixed(3)} % of the pixels differ: ${paths.join(" ")}`);
  t.true(countColours(actual) > 1);
  return opened;
}

/** Like the others, with text typed into it. */
async function editorLooksAlike(t: ExecutionContext, argv: readonly string[], title: RegExp, text: string) {
  await abandon(await looksAlike(t, argv, title, () => desktop.type(text), 0.01));
  t.is((await close(await machine.open(argv, title))).exitCode, 0);
}

for (const [program, title] of [
  ["weston-stacking", /^Stacking Test$/],
  ["weston-transformed", /^Transformed$/],
  ["weston-scaler", /^Scaler Test Box$/],
] as const) {
  test.serial(`${program} shows what it shows without a machine, and ends when its window is closed`, async (t) => {
    t.is((await close(await looksAlike(t, [program], title))).exitCode, 0);
  });
}

for (const [program, title, colours] of [
  ["weston-simple-shm", /^simple-shm$/, 32],
  ["weston-simple-damage", /^simple-damage$/, 3],
] as const) {
  test.serial(`${program} goes on drawing`, async (t) => {
    const opened = await machine.open([program], title);
    const first = await contentWhen(desktop, opened.window.id, (content) => countColours(content) >= colours);
    await contentWhen(desktop, opened.window.id, (content) => !isLike(first, content));
    await keepPicture(program, first);
    t.is((await close(opened)).exitCode, 0);
  });
}

test.serial("weston-flower shows a flower", async (t) => {
  const opened = await machine.open(["weston-flower"], /^Flower$/);
  const picture = await drawn(desktop, opened.window.id);
  await keepPicture("weston-flower", picture);
  t.true(countColours(picture) > 16);
  t.is((await close(opened)).exitCode, 0);
});

test.serial("weston-clickdot gets clicks where they are made", async (t) => {
  const click: Act = async ({ rect, window_rect: inner }) => {
    await pointer.click(rect.x + inner.x + 400, rect.y + inner.y + 300);
    await pointer.move(rect.x + inner.x + 500, rect.y + inner.y + 350);
  };
  await close(await looksAlike(t, ["weston-clickdot"], /^Wayland ClickDot$/, click));
});

test.serial("weston-eventdemo gets keys and buttons, and follows when its window is resized", async (t) => {
  // It says a line when its buffer is full, or at once.
  const argv = ["stdbuf", "-oL", "weston-eventdemo", "--log-button", "--log-key"];
  const act: Act = async (window, { stdout }) => {
    await desktop.sway.run(`[con_id=${window.id}] floating enable, resize set 500 400, move position 100 100`);
    await contentWhen(desktop, window.id, ({ width }) => width <= 500);
    await pointer.click(300, 300);
    await park();
    // Keys change nothing that is shown.
    const heard = said(stdout, /unicode: 97, .*pressed/);
    await desktop.press("-k", "a", "-k", "b");
    await heard;
  };
  const { stdout } = await close(await looksAlike(t, argv, /^EventDemo$/, act));
  t.regex(stdout, /button: .*pressed/);
  t.regex(stdout, /unicode: 97, .*pressed/);
});

test.serial("a GTK 4 program shows what it shows without a machine, also what is typed", async (t) => {
  // Drawing by an emulated graphics card takes minutes on emulated CPUs.
  const argv = ["env", "GSK_RENDERER=cairo", "gnome-text-editor", "--standalone"];
  await editorLooksAlike(t, argv, /./, "Hello from GTK 4");
});

test.serial("a Qt 6 program shows what it shows without a machine, also what is typed", async (t) => {
  await editorLooksAlike(t, ["featherpad", "--standalone"], /^Untitled$/, "Hello from Qt 6");
});

test.serial("an X11 program has a window of its own, menus, keys, and ends when it is closed", async (t) => {
  const opened = await machine.open(["nedit"], /^Untitled$/);
  const { id } = opened.window;
  const closed = await shows(opened, nothing);
  t.true(countColours(closed) > 4);
  await pointer.click(20, 38);
  await contentWhen(desktop, id, (content) => !isLike(closed, content, 0.02));
  await keepPicture("nedit-menu", await drawn(desktop, id));
  await desktop.press("-k", "Escape");
  await contentWhen(desktop, id, (content) => isLike(closed, content, 0.02));

  await desktop.sway.run(`[con_id=${id}] floating enable, resize set 500 400`);
  const small = await contentWhen(desktop, id, (content) => content.width <= 500 && countColours(content) > 4);
  t.true(small.height <= 400);
  t.is((await close(opened)).exitCode, 0);
});

test.serial("windows beside each other each get their own keys", async (t) => {
  const first = await machine.open(["nedit"], /^Untitled$/);
  const second = await machine.open(["featherpad", "--standalone"], /^Untitled$/);
  await drawn(desktop, second.window.id);
  await desktop.sway.run(`[con_id=${first.window.id}] focus`);
  await drawn(desktop, first.window.id);
  await pressInX11(desktop, "x");
  const isChanged = ({ id, name }: SwayNode) => id === first.window.id && name === "[clients] Untitled (modified)";
  const changed = await desktop.waitForWindow(isChanged, deadlineMs);
  const picture = await desktop.picture();
  await keepPicture("two-toolkits", picture);
  t.true(countColours(contentOf(picture, changed)) > 4);
  t.true((await desktop.sway.windows()).some(({ name }) => name === "[clients] Untitled"));
  t.is((await close(second)).exitCode, 0);
});
