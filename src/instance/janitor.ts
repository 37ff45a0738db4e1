// Removes an instance's directory when its supervisor is killed without a chance to do it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { InstanceDirectory } from "./directory.ts";

// It shares the lock (descriptor 3), so a new instance of that name waits for its last step.
const script = 'read -r line; rm -rf -- "$1"; rm -f -- "$2"';

export interface Janitor {
  /** To be called after the directory is gone, or before it is taken over. */
  dismiss(): Promise<void>;
}

/** Starts it: a shell that waits for the end of its standard input, which only this process holds open. */
export function startJanitor(directory: InstanceDirectory): Janitor {
  const child: ChildProcess = spawn("/bin/sh", ["-c", script, "cloche-janitor", directory.path, directory.lockPath], {
    stdio: ["pipe", "ignore", "ignore", directory.lock],
    env: { PATH: "/usr/bin:/bin" },
    cwd: "/",
    detached: true,
  });
  const exited = once(child, "exit").catch(() => {});
  child.stdin?.on("error", () => {});
  return {
    async dismiss() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
