// A Wayland desktop without a screen: headless sway, run as an ordinary user.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { scaled } from "../deadlines.ts";
import { messageOf } from "../errors.ts";
import { readLines } from "../read-lines.ts";
import type { OrdinaryUser } from "./ordinary-user.ts";
import { difference, type Picture, parsePpm } from "./picture.ts";
import { SwayConnection, type SwayNode } from "./sway-connection.ts";

const startDeadlineMs = scaled(30_000);
const toolDeadlineMs = scaled(30_000);
/** An emulated guest can be that slow with its next frame. */
const stillMs = 1_200;
const keyboardLifeMs = 24 * 3_600_000;

/** `ready` is written by sway itself once clients can connect. */
const swayConfig = `xwayland disable
output * resolution 1280x800
default_border normal
font pango:DejaVu Sans 11
focus_follows_mouse no
exec echo "ready $WAYLAND_DISPLAY $SWAYSOCK"
`;

export interface HeadlessDesktop extends AsyncDisposable {
  /** All of the environment that the desktop's applications get. */
  readonly environment: Readonly<Record<string, string>>;
  readonly sway: SwayConnection;
  /** Starts a program on the desktop, as its user. */
  start(argv: readonly string[], options?: StartOptions): DesktopProcess;
  picture(): Promise<Picture>;
  /** A picture that `until` accepts and that those of the next `stillMs` repeat. Throws after `deadlineMs`. */
  settledPicture(deadlineMs: number, until?: (picture: Picture) => boolean): Promise<Picture>;
  /** Types `text` by wtype; a newline is Return. */
  type(text: string): Promise<void>;
  /** Presses keys by wtype's own arguments, such as `-k`, `Escape`. */
  press(...keys: string[]): Promise<void>;
  /** The first window that `matches`; waits for it. Throws after `deadlineMs`, or when `signal` aborts. */
  waitForWindow(matches: (window: SwayNode) => boolean, deadlineMs: number, signal?: AbortSignal): Promise<SwayNode>;
  /** Resolves once no window `matches`. */
  waitForNoWindow(matches: (window: SwayNode) => boolean, deadlineMs: number): Promise<void>;
}

/** A program on the desktop; awaited, it tells how it ended, and does not reject. */
export type DesktopProcess = ReturnType<typeof startProgram>;

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly directory?: string;
}

export async function startHeadlessDesktop(user: OrdinaryUser): Promise<HeadlessDesktop> {
  const config = join(user.directory, "sway.conf");
  await writeFile(config, swayConfig, { mode: 0o644 });
  await using cleanup = new AsyncDisposableStack();
  const _swayEnvironment = {
    WLR_BACKENDS: "headless",
    WLR_RENDERER: "pixman",
    WLR_LIBINPUT_NO_DEVICES: "1",
    XDG_CURRENT_DESKTOP: "sway",
  };
  const compositor = startCompositor(user, config);
  cleanup.defer(async () => {
    compositor.kill("SIGTERM");
    await compositor;
  });
  const { display, socket } = await readiness(compositor);
  const environment = {
    ...user.environment,
    WAYLAND_DISPLAY: display,
    SWAYSOCK: socket,
    XDG_CURRENT_DESKTOP: "sway",
    XDG_SESSION_TYPE: "wayland",
  };
  const sway = cleanup.use(await SwayConnection.open(socket));
  const start: HeadlessDesktop["start"] = (argv, options = {}) =>
    startProgram(user.command(argv), { ...environment, ...options.environment }, options);
  const picture = () => takePicture(user, environment);
  const wtype = async (...keys: string[]) => {
    const { failed, stderr } = await start(["wtype", ...keys], { timeoutMs: toolDeadlineMs });
    if (failed) throw new Error(`wtype: ${stderr}`);
  };
  // A seat without a keyboard gets one with each wtype, and loses the keys that come before clients have bound it.
  const keyboard = start(["wtype", "-s", String(keyboardLifeMs)]);
  cleanup.defer(async () => {
    keyboard.kill("SIGTERM");
    await keyboard;
  });
  const resources = cleanup.move();
  return {
    environment,
    sway,
    start,
    picture,
    async settledPicture(deadlineMs, until = () => true) {
      const deadline = performance.now() + deadlineMs;
      let settled = { picture: await picture(), since: performance.now() };
      for (;;) {
        const next = await picture();
        const now = performance.now();
        if (!until(next) || difference(settled.picture, next) > 0) settled = { picture: next, since: now };
        else if (now - settled.since >= stillMs) return next;
        if (now > deadline) throw new Error(`the picture did not settle within ${deadlineMs} ms`);
      }
    },
    type: (text) =>
      wtype(
        ...text
          .split("\n")
          .flatMap((line, index) => [...(index > 0 ? ["-k", "Return"] : []), ...(line === "" ? [] : [line])]),
      ),
    press: wtype,
    waitForWindow: (matches, deadlineMs, signal) =>
      waitFor(sway, (windows) => windows.find(matches), deadlineMs, signal),
    waitForNoWindow: async (matches, deadlineMs) => {
      await waitFor(sway, (windows) => !windows.some(matches) || undefined, deadlineMs);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function startCompositor(user: OrdinaryUser, config: string) {
  const [file, ...args] = user.command(["sway", "--config", config]);
  const headless = { WLR_BACKENDS: "headless", WLR_RENDERER: "pixman", WLR_LIBINPUT_NO_DEVICES: "1" };
  const env = { ...user.environment, ...headless, XDG_CURRENT_DESKTOP: "sway" };
  return execa(file, args, {
    stdin: "ignore",
    buffer: false,
    reject: false,
    cleanup: true,
    extendEnv: false,
    cwd: "/",
    env,
  });
}

function startProgram([file, ...args]: [string, ...string[]], env: Record<string, string>, options: StartOptions) {
  return execa(file, args, {
    stdin: "ignore",
    reject: false,
    cleanup: true,
    extendEnv: false,
    forceKillAfterDelay: 20_000,
    env,
    cwd: options.directory ?? "/",
    timeout: options.timeoutMs ?? 0,
  });
}

async function readiness(compositor: ReturnType<typeof startCompositor>): Promise<{ display: string; socket: string }> {
  const ready = Promise.withResolvers<{ display: string; socket: string }>();
  const last: string[] = [];
  readLines(compositor.stdout, {
    maxLineBytes: 4_096,
    onLine(line) {
      const [, display, socket] = /^ready (\S+) (\S+)$/.exec(line) ?? [];
      if (display !== undefined && socket !== undefined) ready.resolve({ display, socket });
    },
  });
  readLines(compositor.stderr, {
    maxLineBytes: 4_096,
    onLine(line) {
      if (last.push(line) > 10) last.shift();
    },
  });
  const deadline = setTimeout(
    () => ready.reject(new Error(`sway was not ready after ${startDeadlineMs} ms`)),
    startDeadlineMs,
  );
  const ended = compositor.then(({ exitCode, signal, code }) => {
    const how = code === "ENOENT" ? "is not installed" : `ended with ${signal ?? `status ${exitCode}`}`;
    throw new Error(`sway ${how}\n${last.join("\n")}`);
  });
  try {
    return await Promise.race([ready.promise, ended]);
  } finally {
    clearTimeout(deadline);
    ended.catch(() => {});
  }
}

async function takePicture(user: OrdinaryUser, environment: Readonly<Record<string, string>>): Promise<Picture> {
  const [file, ...args] = user.command(["grim", "-t", "ppm", "-"]);
  const result = await execa(file, args, {
    ...{ encoding: "buffer", stdin: "ignore", reject: false, extendEnv: false, timeout: toolDeadlineMs, cwd: "/" },
    env: environment,
  });
  if (result.failed) throw new Error(`grim: ${Buffer.from(result.stderr).toString()}`);
  return parsePpm(Buffer.from(result.stdout));
}

async function waitFor<Found>(
  sway: SwayConnection,
  look: (windows: readonly SwayNode[]) => Found | undefined,
  deadlineMs: number,
  outer?: AbortSignal,
): Promise<Found> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = outer === undefined ? deadline : AbortSignal.any([deadline, outer]);
  let changed = Promise.withResolvers<void>();
  using _ = sway.onWindow(() => changed.resolve());
  for (;;) {
    const windows = await sway.windows();
    const found = look(windows);
    if (found !== undefined) return found;
    const seen = windows.map(({ app_id, name }) => `${app_id ?? "?"} “${name ?? ""}”`).join(", ") || "none";
    if (outer?.aborted) throw new Error(`no such window (there are: ${seen}): ${messageOf(outer.reason)}`);
    if (deadline.aborted) throw new Error(`no such window within ${deadlineMs} ms; there are: ${seen}`);
    await Promise.race([changed.promise, once(signal, "abort")]);
    changed = Promise.withResolvers();
  }
}
