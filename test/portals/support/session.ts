// A private session bus with the real xdg-desktop-portal and its document portal, in directories of its own.

import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
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

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Starts a bus; what it activates runs with what `environment` makes of the session's directory. Disposed of, all of it ends.
 * It is `user`'s, who is another one than ours only where we are root.
 */
export async function startSession(
  environment: (directory: string) => Promise<Readonly<Record<string, string>>> = async () => ({}),
  user: User = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
): Promise<Session> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "cloche-session-"));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const runtime = join(directory, "run");
  await mkdir(runtime, { mode: 0o700 });
  for (const path of [directory, runtime]) await chown(path, user.uid, user.gid);
  const own: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: directory,
    XDG_RUNTIME_DIR: runtime,
    GSETTINGS_BACKEND: "memory",
    G_MESSAGES_DEBUG: "all",
    ...(await environment(directory)),
  };
  // A group of its own: what the bus activates ends with it.
  const config = join(directory, "bus.conf");
  await writeFile(config, busConfig(join(runtime, "bus")));
  const argv = ["dbus-daemon", `--config-file=${config}`, "--nofork", "--print-address=1"];
  const daemon = execa("setpriv", asUser(user, argv), {
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

/** A session's, to which root may connect as well as its user: the back end is the test's own. */
const busConfig = (
  socket: string,
): string => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <standard_session_servicedirs/>
  <policy context="default">
    <allow user="root"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

/** Not in a mount namespace of its own: what the document portal mounts is there for who comes later. */
function asUser({ uid, gid }: User, argv: readonly string[]): string[] {
  const drop = process.getuid?.() !== uid ? ["--reuid", String(uid), "--regid", String(gid), "--clear-groups"] : [];
  return [...drop, "--pdeathsig", "TERM", "--", ...argv];
}
