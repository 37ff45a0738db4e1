// Runs one of the programs that build images, and turns its failure into an error that says what the program said last.
import { ClocheError } from "../errors.ts";
import { findProgram } from "../find-program.ts";
import { readLines } from "../read-lines.ts";
import { diskFull, saysDiskFull } from "./space.ts";

export interface Tool {
  readonly argv: readonly string[];
  /** What is being done, for the error: "the root cannot be built". */
  readonly failure: string;
  /** Where it writes, for `disk-full`. */
  readonly writesTo: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Its mounts are in a namespace of its own, and end with it; takes root. */
  readonly ownMounts?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Given each line of its standard error; `taken` keeps the line out of the error. */
  readonly onLine?: (line: string) => "taken" | undefined;
  /** Names the remedy where the output shows a known cause. */
  readonly hintFor?: (lines: readonly string[]) => string | undefined;
}

/** Lines of a tool's output that an error carries. */
const keptLines = 10;
/** What a tool gets to clean up after an abort, before it is killed. */
const graceMs = 10_000;

/** Runs the program in a group that is killed when the pipe from this process ends, however this process does. */
const diesWithUs = 'exec 3<&0; (cat <&3; kill -KILL 0) >/dev/null 2>&1 & exec "$@" 3<&- </dev/null';

/** Runs it to its end and returns its standard output. Throws `build-failed`, `disk-full`, `missing-program`, `interrupted`. */
export async function runTool(tool: Tool): Promise<string> {
  const [name = "", ...args] = tool.argv;
  const program = await findProgram(name);
  if (program === undefined) throw new ClocheError("missing-program", `${name} is not on PATH`, hintFor(name));
  if (tool.signal?.aborted) throw interrupted();
  const last: string[] = [];
  // Loaded here: a launch that has nothing to build does not wait for it.
  const { execa } = await import("execa");
  const namespace = tool.ownMounts ? ["unshare", "--mount", "--"] : [];
  const child = execa("sh", ["-c", diesWithUs, "sh", ...namespace, program, ...args], {
    // A group of its own: mmdebstrap waits for its children when it is told to end, so they are told too.
    detached: true,
    stdin: "pipe",
    reject: false,
    maxBuffer: 1 << 20,
    env: { LC_ALL: "C.UTF-8", SOURCE_DATE_EPOCH: "0", ...tool.environment },
    ...(tool.directory !== undefined && { cwd: tool.directory }),
  });
  readLines(child.stderr, {
    maxLineBytes: 4096,
    onLine(line) {
      if (tool.onLine?.(line) === "taken") return;
      if (last.push(line) > keptLines) last.shift();
    },
  });
  const stop = stopper(child.pid);
  tool.signal?.addEventListener("abort", stop.begin, { once: true });
  const result = await child;
  tool.signal?.removeEventListener("abort", stop.begin);
  stop.end();

  if (tool.signal?.aborted) throw interrupted();
  if (result.exitCode === 0) return result.stdout;
  const cause = new Error(
    [`${name} ended with ${result.signal ?? `exit code ${result.exitCode}`}`, ...last].join("\n"),
  );
  if (saysDiskFull(last.join("\n"))) throw diskFull(tool.writesTo, cause);
  const hint = tool.hintFor?.(last);
  throw new ClocheError("build-failed", tool.failure, { cause, ...(hint !== undefined && { hint }) });
}

const interrupted = () => new ClocheError("interrupted", "the build was interrupted");

function stopper(pid: number | undefined) {
  let timer: NodeJS.Timeout | undefined;
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The group has ended.
    }
  };
  return {
    begin: () => {
      kill("SIGTERM");
      timer = setTimeout(() => kill("SIGKILL"), graceMs);
    },
    end: () => clearTimeout(timer),
  };
}

const debianPackage: Readonly<Record<string, string>> = {
  bwrap: "bubblewrap",
  mmdebstrap: "mmdebstrap",
  flock: "util-linux",
};

function hintFor(program: string): { hint?: string } {
  const name = debianPackage[program];
  return name === undefined ? {} : { hint: `Install it: on Debian, apt install ${name}.` };
}
