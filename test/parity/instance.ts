// A running instance as its user sees it: by Cloche's own commands.
import type { Cloche } from "./world.ts";

/** What `inspect --json` says; the fields that are read here. */
export interface State {
  readonly id: string;
  readonly phase: string;
  readonly monitor: string;
  readonly reason: string;
  readonly accelerator: string;
  readonly renderer: string | null;
  readonly pid: number;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly timings: readonly { readonly stage: string; readonly ms: number }[];
}

/** How a command ended. */
export interface Ended {
  readonly exitCode?: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export class Instance {
  readonly name: string;
  /** The `cloche run --json` that started it. */
  readonly run: PromiseLike<Ended>;
  readonly #cloche: Cloche;

  constructor(name: string, cloche: Cloche, run: PromiseLike<Ended>) {
    this.name = name;
    this.run = run;
    this.#cloche = cloche;
  }

  /** Runs a command in the guest, to its end. */
  exec(argv: readonly string[], user: "user" | "root" = "user"): ReturnType<Cloche> {
    return this.#cloche("exec", "--user", user, this.name, "--", ...argv);
  }

  /** `sh -c` in the guest; its standard output without the last newline. Throws where it fails. */
  async shell(script: string, user: "user" | "root" = "user"): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec(["sh", "-c", script], user);
    if (exitCode !== 0) throw new Error(`in ${this.name}, with status ${exitCode}: ${script}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async state(): Promise<State> {
    const { stdout, stderr } = await this.#cloche("inspect", "--json", this.name);
    if (stdout === "") throw new Error(`${this.name} cannot be inspected: ${stderr}`);
    return JSON.parse(stdout) as State;
  }

  /** All lines of its log. */
  async log(): Promise<string> {
    return (await this.#cloche("logs", this.name)).stdout;
  }
}
