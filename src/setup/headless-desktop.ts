// A Wayland desktop without a screen: headless sway, run as an ordinary user.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { readLines } from "../read-lines.ts";
import type { OrdinaryUser } from "./ordinary-user.ts";
import { difference, type Picture, parsePpm } from "./picture.ts";
import { type SwayNode, SwayConnection } from "./sway-connection.ts";

const startDeadlineMs = 30_000;
const toolDeadlineMs = 30_000;
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
  start(argv: readonly string[], options?: StartOptions): ResultPromise<{ reject: false; stdin: "ignore" }>;
  picture(): Promise<Picture>;
  /** A picture that `until` accepts and that the next one repeats. Throws after `deadlineMs`. */
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

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly directory?: string;
}

export async function startHeadlessDesktop(user: OrdinaryUser): Promise<HeadlessDesktop> {
  const config = join(user.directory, "sway.conf");
  await writeFile(config, swayConfig, { mode: 0o644 });
  await using cleanup = new AsyncDisposableStack();
  const swayEnvironment = { WLR_BACKENDS: "headless", WLR_RENDERER: "pixman", WLR_LIBINPUT_NO_DEVICES: "1", XDG_CURRENT_DESKTOP: "sway" };
  const [file, ...args] = user.command(["sway", "--config", config]);
  const compositor = execa(file, args, {
    ...{ stdin: "ignore", buffer: false, reject: false, cleanup: true, extendEnv: false, cwd: "/" },
    env: { ...user.environment, ...swayEnvironment },
  });
  cleanup.defer(async () => {
    compositor.kill("SIGTERM");
    await compositor;
  });
  const { display, socket } = await readiness(compositor);
  const environment = { ...user.environment, WAYLAND_DISPLAY: display, SWAYSOCK: socket, XDG_CURRENT_DESKTOP: "sway", XDG_SESSION_TYPE: "wayland" };
  const sway = cleanup.use(await SwayConnection.open(socket));
  const start: HeadlessDesktop["start"] = (argv, options = {}) => {
    const [program, ...rest] = user.command(argv);
    return execa(program, rest, {
      ...{ stdin: "ignore", reject: false, cleanup: true, extendEnv: false, forceKillAfterDelay: 20_000 },
      env: { ...environment, ...options.environment },
      cwd: options.directory ?? "/",
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    });
  };
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
      const signal = AbortSignal.timeout(deadlineMs);
      let last = await picture();
      for (;;) {
        const next = await picture();
        if (until(next) && difference(last, next) === 0) return next;
        if (signal.aborted) throw new Error(`the picture did not settle within ${deadlineMs} ms`);
        last = next;
      }
    },
    type: (text) => wtype(...text.split("\n").flatMap((line, index) => [...(index > 0 ? ["-k", "Return"] : []), ...(line === "" ? [] : [line])])),
    press: wtype,
    waitForWindow: (matches, deadlineMs, signal) => waitFor(sway, (windows) => windows.find(matches), deadlineMs, signal),
    waitForNoWindow: async (matches, deadlineMs) => {
      await waitFor(sway, (windows) => !windows.some(matches) || undefined, deadlineMs);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function readiness(compositor: ResultPromise<{ buffer: false }>): Promise<{ display: string; socket: string }> {
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
  const deadline = setTimeout(() => ready.reject(new Error(`sway was not ready after ${startDeadlineMs} ms`)), startDeadlineMs);
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
    if (outer?.aborted) throw new Error(`given up waiting for a window; there are: ${seen}`, { cause: outer.reason });
    if (deadline.aborted) throw new Error(`no such window within ${deadlineMs} ms; there are: ${seen}`);
    await Promise.race([changed.promise, once(signal, "abort")]);
    changed = Promise.withResolvers();
  }
}
