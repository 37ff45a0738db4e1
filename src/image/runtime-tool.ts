// Runs a program of the monitor runtime on files of a build, in a jail that has only those.
import type { Runtime } from "./runtime.ts";
import { runTool, type Tool } from "./tool.ts";

export interface RuntimeTool extends Omit<Tool, "argv" | "directory" | "environment" | "writesTo"> {
  readonly runtime: Runtime;
  /** Directory on the host; it is /images, and the working directory, of the program. */
  readonly directory: string;
  readonly argv: readonly string[];
}

export function runInRuntime({ runtime, argv, directory, ...tool }: RuntimeTool): Promise<string> {
  return runTool({
    ...tool,
    writesTo: directory,
    argv: [
      ...["bwrap", "--die-with-parent", "--new-session", "--unshare-all", "--cap-drop", "ALL"],
      ...["--ro-bind", runtime.root, "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"],
      ...["--bind", directory, "/images", "--chdir", "/images", "--", ...argv],
    ],
  });
}
