// Processes, each in its jail, each with an owner that ends it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Readable } from "node:stream";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { readLines } from "../read-lines.ts";
import { type JailHost, jailArgv } from "./bwrap.ts";
import type { ProcessPlan } from "./process-plan.ts";

const maxLineBytes = 4096;
const keptLines = 40;
const readyTimeoutMs = scaled(10_000);

export type LineSink = (source: string, line: string) => void;

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface HelperProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ProcessEnd>;
  /** The last lines it wrote to its standard error. */
  readonly lastErrors: readonly string[];
  /** Kills it, and all that runs in its jail; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts `plan`; its standard output and error go to `onLine` line by line, as `NAME` and `NAME.err`. */
export function startProcess(plan: ProcessPlan, host: JailHost, onLine: LineSink): HelperProcess {
  const [file = "", ...args] = jailArgv(plan, host);
  const subprocess = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe", ...(plan.descriptors ?? [])],
    // Not of our terminal's foreground group: Ctrl-C is for the supervisor to act on.
    detached: true,
    env: {},
    cwd: "/",
  });
  const lastErrors: string[] = [];
  const follow = (stream: Readable, source: string, kept: string[] | undefined) =>
    readLines(stream, {
      maxLineBytes,
      onLine(line) {
        if (kept) kept.push(line);
        if (kept && kept.length > keptLines) kept.shift();
        onLine(source, line);
      },
    });
  const { stdout, stderr } = subprocess;
  if (stdout) follow(stdout, plan.name, undefined);
  if (stderr) follow(stderr, `${plan.name}.err`, lastErrors);
  let isAlive = true;
  subprocess.once("exit", () => {
    isAlive = false;
  });
  const exited = once(subprocess, "close").then(
    ([code, signal]: (number | string | null)[]) => ({ code: numberOrNull(code), signal: stringOrNull(signal) }),
    (error: Error) => {
      lastErrors.push(error.message);
      return { code: null, signal: null };
    },
  );
  return {
    name: plan.name,
    pid: subprocess.pid ?? 0,
    exited,
    lastErrors,
    async kill() {
      // The group: while bubblewrap sets the jail up, its inner process does not yet end with the outer one.
      if (isAlive && subprocess.pid !== undefined) killGroup(subprocess.pid);
      await exited;
    },
  };
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has ended in this moment.
  }
}

/** The line that says what went wrong: the last one that sounds like it, or the last. */
function lastWords(lines: readonly string[]): string | undefined {
  const told = lines.filter((line) => !/\b(WARN|INFO|DEBUG)\b/.test(line));
  return told.findLast((line) => /error|fail|cannot|could not|denied|no such|invalid/i.test(line)) ?? told.at(-1);
}

/** What `helper`'s untimely end is reported as. */
export async function untimelyEnd(helper: HelperProcess): Promise<ClocheError> {
  const { code, signal } = await helper.exited;
  const how = signal === null ? `with status ${code}` : `by ${signal}`;
  const said = lastWords(helper.lastErrors);
  return new ClocheError("helper-failed", `${helper.name} ended ${how}${said ? `: ${said}` : ""}`);
}

/** Resolves when the plan's socket is there. Rejects when the process ends first, or after the deadline. */
export async function listening(plan: ProcessPlan, helper: HelperProcess): Promise<void> {
  const path = plan.listensOn;
  if (path === undefined) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () =>
    stat(path).then(
      (found) => found.isSocket() && resolve(),
      () => {},
    );
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === basename(path)) void look();
  });
  const late = () =>
    reject(new ClocheError("helper-failed", `${plan.name} was not ready after ${readyTimeoutMs / 1000} s`));
  const timer = setTimeout(late, readyTimeoutMs);
  void helper.exited.then(async () => reject(await untimelyEnd(helper)));
  try {
    void look();
    await promise;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}

const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);
const stringOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
