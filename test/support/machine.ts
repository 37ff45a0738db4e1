// One instance on the test desktop, driven by the command line as a user would.
import { join } from "node:path";
import { scaled } from "../../src/deadlines.ts";
import type { DesktopProcess } from "../../src/setup/headless-desktop.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import type { TestDesktop } from "./desktop.ts";

/** A program starts that slowly on two emulated CPUs. */
const windowDeadlineMs = scaled(120_000);

export interface OpenWindow {
  readonly program: DesktopProcess;
  readonly window: SwayNode;
}

export interface Machine extends AsyncDisposable {
  readonly name: string;
  readonly appId: string;
  /** Starts a program in it, as its user. */
  start(argv: readonly string[]): DesktopProcess;
  /** The output of a command that has to succeed. */
  output(argv: readonly string[]): Promise<string>;
  /** Starts a program and waits for a window of the instance whose own title is like `title`. */
  open(argv: readonly string[], title: RegExp): Promise<OpenWindow>;
}

/** The monitor that the tests of windows use: CLOCHE_TEST_VMM, or what Cloche would choose. */
export const monitor = process.env.CLOCHE_TEST_VMM ?? "auto";

export const clocheIn = (desktop: TestDesktop): string => join(desktop.user.checkout, "bin", "cloche");

/** Starts an instance of `name`; returns once it runs. */
export async function startMachine(desktop: TestDesktop, name: string, ...options: string[]): Promise<Machine> {
  const cloche = (...args: string[]) => desktop.start([clocheIn(desktop), ...args]);
  const appId = `cloche.${name.replace("@", ".")}`;
  const started = await cloche("run", name, "--temp", "--vmm", monitor, "--detach", ...options);
  if (started.exitCode !== 0) throw new Error(`cloche run ${name} ended with ${started.exitCode}: ${started.stderr}`);
  const start = (argv: readonly string[]) => cloche("exec", name, "--", ...argv);
  return {
    name,
    appId,
    start,
    async output(argv) {
      const { exitCode, stdout, stderr } = await start(argv);
      if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${stderr}`);
      return stdout;
    },
    async open(argv, title) {
      const earlier = new Set((await desktop.sway.windows()).map(({ id }) => id));
      const program = start(argv);
      const over = new AbortController();
      program.then(({ exitCode, stderr }) => over.abort(new Error(`${argv[0]} ended with ${exitCode}: ${stderr}`)));
      const prefix = `[${name}] `;
      const matches = ({ id, app_id, name: shown }: SwayNode) =>
        !earlier.has(id) &&
        app_id === appId &&
        shown?.startsWith(prefix) === true &&
        title.test(shown.slice(prefix.length));
      return { program, window: await desktop.waitForWindow(matches, windowDeadlineMs, over.signal) };
    },
    async [Symbol.asyncDispose]() {
      await cloche("stop", name);
    },
  };
}
