// What crosses between a machine and the host by the clipboard and by dragging, where the user lets it, and where not.
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { scaled } from "../../src/deadlines.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { drawn } from "../support/look.ts";
import { type Machine, type OpenWindow, startMachine } from "../support/machine.ts";
import { startPointedDesktop } from "../support/pointed-desktop.ts";
import { pressInX11 } from "../support/x11-keys.ts";

const deadlineMs = scaled(60_000);
const mebibyte = 2 ** 20;

const started = await startPointedDesktop("--clipboard", "both");
const { desktop, pointer, machine, direct } = started;
test.after.always(() => started[Symbol.asyncDispose]());

const inHome = (name: string) => join("/home/user", name);
const editor = ["featherpad", "--standalone"];
/** Of the first letters of an editor's text, from its window's corner. */
const firstLetters = { x: 24, y: 102 };

/** A terminal that says in its title how far a script is that reads what is pasted, byte by byte. */
const terminal = (script: string) => [
  ...["foot", "--override=bell.urgent=no", "sh", "-c"],
  String.raw`stty raw -echo; printf '\033]2;ready\007'; ${script}; printf '\033]2;done\007'; exec sleep 1000`,
];

const withTitle = (id: number, pattern: RegExp) =>
  desktop.waitForWindow((window) => window.id === id && pattern.test(window.name ?? ""), deadlineMs);

async function focus({ window }: OpenWindow): Promise<void> {
  await desktop.sway.run(`[con_id=${window.id}] focus`);
  await drawn(desktop, window.id);
}

async function end({ program, window }: OpenWindow): Promise<void> {
  program.kill();
  await desktop.waitForNoWindow(({ id }) => id === window.id, deadlineMs);
}

/** Copies on the host; the text is there until the returned object goes. */
async function copyOnHost(text: string): Promise<AsyncDisposable> {
  const file = join(desktop.user.directory, "copied");
  await writeFile(file, text, { mode: 0o644 });
  const owner = desktop.start(["sh", "-c", 'exec wl-copy --foreground --type text/plain < "$1"', "sh", file]);
  await pastedOnHost((pasted) => pasted === text);
  return {
    async [Symbol.asyncDispose]() {
      owner.kill();
      await owner;
    },
  };
}

/** What the host has in its clipboard, once it is right. */
async function pastedOnHost(isRight: (text: string) => boolean): Promise<string> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const { stdout } = await desktop.start(["wl-paste", "--no-newline"], { timeoutMs: 20_000 });
    if (isRight(stdout)) return stdout;
    if (performance.now() > deadline)
      throw new Error(`the host's clipboard has ${JSON.stringify(stdout.slice(0, 80))}`);
  }
}

const selectAll = () => desktop.press("-M", "ctrl", "-k", "a", "-m", "ctrl");
const copy = () => desktop.press("-M", "ctrl", "-k", "c", "-m", "ctrl");
const pasteInTerminal = () => desktop.press("-M", "ctrl", "-M", "shift", "-k", "v", "-m", "shift", "-m", "ctrl");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test.serial("a mebibyte that is copied on the host is pasted in the machine", async (t) => {
  const text = randomBytes((mebibyte / 4) * 3).toString("base64");
  t.is(text.length, mebibyte);
  await using _ = await copyOnHost(text);
  const foot = await machine.open(terminal(`head -c ${mebibyte} > ${inHome("pasted")}`), /^ready$/);
  await focus(foot);
  await pasteInTerminal();
  await withTitle(foot.window.id, /done$/);
  t.regex(await machine.output(["sha256sum", inHome("pasted")]), new RegExp(`^${sha256(text)} `));
  await end(foot);
});

test.serial("a mebibyte that is copied in the machine is pasted on the host", async (t) => {
  await machine.output(["sh", "-c", `head -c ${(mebibyte / 4) * 3} /dev/urandom | base64 > ${inHome("big.txt")}`]);
  const expected = await machine.output(["cat", inHome("big.txt")]);
  const opened = await machine.open([...editor, inHome("big.txt")], /big\.txt/);
  await focus(opened);
  await selectAll();
  await copy();
  const pasted = await pastedOnHost((text) => text === expected);
  t.true(pasted.length >= mebibyte);
  await end(opened);
});

test.serial("an X11 program pastes what the host has, and the host what is copied in it", async (t) => {
  const opened = await machine.open(["nedit"], /^Untitled$/);
  await focus(opened);
  {
    await using _ = await copyOnHost("host");
    await pressInX11(desktop, "-M", "ctrl", "-k", "v", "-m", "ctrl");
    await withTitle(opened.window.id, /modified/);
  }
  await pressInX11(desktop, "AndX11");
  const { x, y } = await cornerOf(opened);
  // Twice: the word under the pointer is selected.
  await pointer.click(x + 16, y + 38);
  await pointer.click(x + 16, y + 38);
  await drawn(desktop, opened.window.id);
  await pointer.click(x + 58, y + 12);
  await drawn(desktop, opened.window.id);
  // Edit, Copy: its keys are bound to the keymap that the program began with.
  await pointer.click(x + 60, y + 118);
  t.is(await pastedOnHost((text) => text === "hostAndX11"), "hostAndX11");
  await end(opened);
});

async function now({ window: { id } }: OpenWindow): Promise<SwayNode> {
  const found = (await desktop.sway.windows()).find((window) => window.id === id);
  if (!found) throw new Error("the window is gone");
  return found;
}

async function cornerOf(opened: OpenWindow): Promise<{ x: number; y: number }> {
  const { rect, window_rect: inner } = await now(opened);
  return { x: rect.x + inner.x, y: rect.y + inner.y };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Types into an editor, and drags its text to the middle of a terminal, whose script then ends. */
async function dragText(text: string, from: OpenWindow, to: OpenWindow): Promise<void> {
  await focus(from);
  await desktop.type(text);
  await selectAll();
  await drawn(desktop, from.window.id);
  const corner = await cornerOf(from);
  const { rect } = await now(to);
  const start = { x: corner.x + firstLetters.x, y: corner.y + firstLetters.y };
  const way = { x: rect.x + rect.width / 2 - start.x, y: rect.y + rect.height / 2 - start.y };
  await pointer.move(start.x, start.y);
  await pointer.press();
  const steps = 20;
  for (let step = 1; step <= steps; step++) {
    await pointer.move(start.x + (way.x * step) / steps, start.y + (way.y * step) / steps);
    // The drag begins when the client has seen the pointer move, and a window that it enters has to answer.
    await pause(step <= 4 || step >= steps - 2 ? 500 : 50);
  }
  await pointer.release();
  await withTitle(to.window.id, /done$/);
}

async function openOnHost(argv: readonly string[], title: RegExp): Promise<OpenWindow> {
  const program = direct.start(argv);
  const window = await desktop.waitForWindow(({ name }) => title.test(name ?? ""), deadlineMs);
  return { program, window };
}

test.serial("text is dragged from the machine to the host", async (t) => {
  const text = "dragged out";
  const file = join(desktop.environment.HOME ?? "", "dropped");
  const program = desktop.start(terminal(`head -c ${text.length} > ${file}`));
  const window = await desktop.waitForWindow(({ name }) => name === "ready", deadlineMs);
  const source = await machine.open(editor, /^Untitled$/);
  await dragText(text, source, { program, window });
  t.is((await desktop.start(["cat", file])).stdout, text);
  await end({ program, window });
  await end(source);
});

test.serial("text is dragged from the host into the machine", async (t) => {
  const text = "dragged in";
  const foot = await machine.open(terminal(`head -c ${text.length} > ${inHome("dropped")}`), /^ready$/);
  const source = await openOnHost(editor, /^Untitled$/);
  await dragText(text, source, foot);
  t.is(await machine.output(["cat", inHome("dropped")]), text);
  await end(source);
  await end(foot);
});

test.serial("without the grant nothing crosses in either direction", async (t) => {
  await using closed: Machine = await startMachine(desktop, "clients@closed", "--clipboard", "none");
  await using _ = await copyOnHost("a secret of the host's");
  const foot = await closed.open(terminal(`head -c 3 > ${inHome("pasted")}`), /^ready$/);
  await focus(foot);
  await pasteInTerminal();
  await drawn(desktop, foot.window.id);
  await desktop.type("abc");
  await withTitle(foot.window.id, /done$/);
  t.is(await closed.output(["cat", inHome("pasted")]), "abc");

  const opened = await closed.open(editor, /^Untitled$/);
  await focus(opened);
  await desktop.type("a secret of the guest's");
  await selectAll();
  await copy();
  await drawn(desktop, opened.window.id);
  t.is(await pastedOnHost(() => true), "a secret of the host's");
});
