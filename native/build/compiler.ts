// Runs compilers, their messages going to standard error as they come.
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { ClocheError } from "../../src/errors.ts";

export interface CompilerRun {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** rustup's directory too: a login shell puts it on PATH, a desktop session often does not. */
const searchPath = [process.env.PATH ?? "", join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin")].join(
  delimiter,
);

/** Throws `build-failed` where the compiler says no. */
export async function runCompiler(program: string, args: readonly string[], run: CompilerRun = {}): Promise<void> {
  // Loaded only here: most runs find nothing to build.
  const { execa } = await import("execa");
  const result = await execa(program, args, {
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    env: { ...run.environment, PATH: searchPath },
    stdio: ["ignore", 2, 2],
    reject: false,
  });
  if (result.failed) throw new ClocheError("build-failed", `${program} could not build it: ${result.shortMessage}`);
}

/** What the compiler says of its version. Throws `missing-program` with the hint. */
export async function askVersion(program: string, flag: string, hint: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [flag], { env: { ...process.env, PATH: searchPath } });
    return stdout;
  } catch (cause) {
    throw new ClocheError("missing-program", `${program} is needed to build the native parts`, { hint, cause });
  }
}
