// Real guests for tests: launched through the supervisor's own API, from the stored image of foot, without windows.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findApp } from "../../src/app/catalogue.ts";
import { parseInstanceName } from "../../src/app/instance-name.ts";
import { type LiveInstance, launch } from "../../src/instance/launch.ts";
import type { LaunchRequest } from "../../src/instance/request.ts";
import type { ExecSession, ExitStatus } from "../../src/link/exec.ts";
import type { Command } from "../../src/link/protocol.ts";
import { silentProgress } from "../../src/progress.ts";

/** Points this process's user directories at a fresh place, which is removed by the returned function. */
export async function useFreshDirectories(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "cloche-vm-"));
  process.env.XDG_RUNTIME_DIR = path;
  for (const name of ["DATA", "STATE", "CONFIG"]) process.env[`XDG_${name}_HOME`] = join(path, name.toLowerCase());
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function launchGuest(
  id: string,
  changes: Partial<LaunchRequest> = {},
): Promise<LiveInstance & AsyncDisposable> {
  const name = parseInstanceName(id);
  const request: LaunchRequest = {
    name,
    manifest: changes.manifest ?? (await findApp(name.app)),
    isTemporary: true,
    monitor: "auto",
    shares: [],
    network: "none",
    cpus: 1,
    memoryMib: 384,
    hasWindows: false,
    clipboard: "none",
    ...changes,
  };
  const live = await launch(request, silentProgress, new AbortController().signal);
  return { ...live, [Symbol.asyncDispose]: () => live.stop(0) };
}

export interface Outcome extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
}

export type CommandChanges = Partial<Omit<Command, "argv">>;

/** Starts a command with its output collected; the caller feeds its input. */
export async function startIn(instance: LiveInstance, argv: string[], changes: CommandChanges = {}) {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const command: Command = { argv, environment: {}, cwd: null, tty: null, user: "user", ...changes };
  const session = await instance.openSession(command, {
    stdout: (chunk) => void out.push(Buffer.from(chunk)),
    stderr: (chunk) => void err.push(Buffer.from(chunk)),
  });
  const texts = () => ({ stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
  return { session, texts };
}

/** Runs a command to its end, with `input` as its standard input. */
export async function runIn(
  instance: LiveInstance,
  argv: string[],
  changes: CommandChanges & { input?: Buffer } = {},
): Promise<Outcome> {
  const { input, ...rest } = changes;
  const { session, texts } = await startIn(instance, argv, rest);
  if (input) await session.writeInput(input);
  session.endInput();
  const status = await session.exited;
  return { ...status, ...texts() };
}

/** `sh -c` in the guest; the standard output without its last newline. */
export async function shellIn(instance: LiveInstance, script: string, user: "user" | "root" = "user"): Promise<string> {
  return (await runIn(instance, ["sh", "-c", script], { user })).stdout.replace(/\n$/, "");
}

export type { ExecSession };
