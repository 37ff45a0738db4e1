// A private session bus with the real xdg-desktop-portal and its document portal, in directories of its own.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { readLines } from "../../../src/read-lines.ts";

export interface Session extends AsyncDisposable {
  readonly address: string;
  /** Home, runtime directory and the like. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a bus; what it activates runs with what `environment` makes of the session's directory. Disposed of, all of it ends. */
export async function startSession(
  environment: (directory: string) => Promise<Readonly<Record<string, string>>> = async () => ({}),
): Promise<Session> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "cloche-session-"));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const runtime = join(directory, "run");
  await mkdir(runtime, { mode: 0o700 });
  const own: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: directory,
    XDG_RUNTIME_DIR: runtime,
    GSETTINGS_BACKEND: "memory",
    G_MESSAGES_DEBUG: "all",
    ...(await environment(directory)),
  };
  // A group of its own: what the bus activates ends with it.
  const argv = ["--session", "--nofork", "--print-address=1", `--address=unix:path=${runtime}/bus`];
  const daemon = execa("dbus-daemon", argv, {
    env: own,
    extendEnv: false,
    stdin: "ignore",
    stderr: process.env.CLOCHE_TEST_VERBOSE ? "inherit" : "ignore",
    reject: false,
    buffer: false,
    detached: true,
  });
  cleanup.defer(async () => {
    if (daemon.pid !== undefined) process.kill(-daemon.pid, "SIGTERM");
    await daemon;
    // The document portal's mount outlives a process that was killed.
    await execa("fusermount3", ["-uzq", join(runtime, "doc")], { reject: false });
  });
  const address = await new Promise<string>((resolve, reject) => {
    readLines(daemon.stdout, { maxLineBytes: 4096, onLine: resolve });
    void daemon.then(({ message }) => reject(new Error(message)));
  });
  const resources = cleanup.move();
  return {
    address,
    directory,
    environment: { ...own, DBUS_SESSION_BUS_ADDRESS: address },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
