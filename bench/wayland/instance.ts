// One instance that the load client runs in, started as a user would.
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import type { BenchDesktop } from "./desktop.ts";
import type { Side } from "./side.ts";

const startDeadlineMs = 300_000;

export interface BenchInstance extends AsyncDisposable {
  readonly name: string;
  readonly supervisorPid: number;
  readonly monitor: string;
  readonly accelerator: string;
  readonly reason: string;
  /** The argv of a `cloche` command, as the desktop's user. */
  cloche(...args: string[]): [string, ...string[]];
  /** The argv that runs `argv` in the guest, with the variables of `environment`. */
  exec(argv: readonly string[], environment?: Readonly<Record<string, string>>): [string, ...string[]];
  /** From the guest, by the Wayland socket of that name in the user's runtime directory. */
  side(title: string, display?: string): Side;
}

interface ReadyEvent {
  readonly event?: string;
  readonly pid: number;
  readonly monitor: string;
  readonly accelerator: string;
  readonly reason: string;
}

/** @param app an application of the catalogue, whose image is there */
export async function startInstance(
  desktop: BenchDesktop,
  app: string,
  tag: string,
  monitor: string,
): Promise<BenchInstance> {
  const name = `${app}@${tag}`;
  const cloche = (...args: string[]) => desktop.user.command([join(desktop.user.checkout, "bin", "cloche"), ...args]);
  const options = { stdin: "ignore", reject: false, extendEnv: false, cwd: "/", env: desktop.environment } as const;
  const [file, ...args] = cloche(
    ...["run", name, "--temp", "--json", "--vmm", monitor],
    ...["--share", `${desktop.loadDirectory}:ro`],
  );
  const running = execa(file, args, { ...options, buffer: { stdout: false }, forceKillAfterDelay: 20_000 });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => {
    running.kill("SIGTERM");
    await running;
  });
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  const deadline = setTimeout(() => running.kill("SIGTERM"), startDeadlineMs);
  const { value, done } = await lines.next();
  clearTimeout(deadline);
  const ready: Partial<ReadyEvent> = done ? {} : JSON.parse(value);
  if (ready.event !== "ready") {
    const { stderr } = await running;
    throw new Error(`cloche run ${name} --vmm ${monitor} failed: ${done ? "" : value} ${stderr}`);
  }
  const { pid, monitor: chosen, accelerator, reason } = ready as ReadyEvent;
  const exec: BenchInstance["exec"] = (argv, environment = {}) =>
    cloche(
      "exec",
      ...Object.entries(environment).flatMap(([key, text]) => ["-e", `${key}=${text}`]),
      name,
      "--",
      ...argv,
    );
  const resources = cleanup.move();
  return {
    name,
    supervisorPid: pid,
    monitor: chosen,
    accelerator,
    reason,
    cloche,
    exec,
    side: (title, display) => ({
      name: title,
      command: (loadArgs) =>
        exec([desktop.loadInGuest, ...loadArgs], display === undefined ? {} : { WAYLAND_DISPLAY: display }),
      environment: desktop.environment,
    }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
