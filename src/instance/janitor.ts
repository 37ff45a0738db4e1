// Ends what is left of an instance when its supervisor is killed without a chance to do it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { InstanceDirectory } from "./directory.ts";

// Its input names the process groups that live. A jail ends with its parent, but not in the milliseconds in which
// bubblewrap sets it up: then its group is what can be ended. The lock (descriptor 3) is shared, so that a new
// instance of that name waits for the last step.
const script = `
groups=' '
while read -r line; do
  case $line in
    +*) groups="$groups\${line#+} " ;;
    -*) groups="\${groups%% \${line#-} *} \${groups#* \${line#-} }" ;;
  esac
done
for group in $groups; do kill -KILL -- "-$group"; done 2>/dev/null
rm -rf -- "$1"
rm -f -- "$2"
`;

export interface Janitor {
  /** A process group has come to life, or has ended. */
  began(group: number): void;
  ended(group: number): void;
  /** To be called after the directory is gone, or before it is taken over. */
  dismiss(): Promise<void>;
}

/** Starts it: a shell that reads its standard input to the end, which only this process holds open. */
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
    began: (group) => void child.stdin?.write(`+${group}\n`),
    ended: (group) => void child.stdin?.write(`-${group}\n`),
    async dismiss() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
