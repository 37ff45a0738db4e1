// The invariant behind every test that starts something: afterwards there is no more than before.
import { readdirSync, readFileSync } from "node:fs";

/** Processes whose command line names `text`, this one aside. */
export function processesNaming(text: string): { pid: number; commandLine: string }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((entry) => ({ pid: Number(entry), commandLine: commandLineOf(entry) }))
    .filter(({ commandLine }) => commandLine.includes(text));
}

/** Open descriptors of this process. */
export const descriptorCount = (): number => readdirSync("/proc/self/fd").length;

/** Files and directories below `directory`, as relative paths. */
export function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true }).map(String).sort();
  } catch {
    return [];
  }
}

/** Mounts that name `text`. */
export const mountsNaming = (text: string): string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(text));

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
