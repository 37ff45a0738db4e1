// CPU time of whole process trees, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, in which /proc counts; the same on every x86 Linux. */
const ticksPerSecond = 100;

interface ProcessTime {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** User and system, of all its threads, also of those that have ended. */
  readonly seconds: number;
}

/** Seconds by the name of the program. */
export type Usage = ReadonlyMap<string, number>;

/** What the processes `roots` and all below them have used so far. */
export function readUsage(roots: readonly number[]): Usage {
  const usage = new Map<string, number>();
  for (const { name, seconds } of treeOf(roots)) usage.set(name, (usage.get(name) ?? 0) + seconds);
  return usage;
}

/** The process `roots` and all below them. */
export function treeOf(roots: readonly number[]): ProcessTime[] {
  const all = readdirSync("/proc").flatMap((entry) => (/^\d+$/.test(entry) ? readProcess(entry) : []));
  const found = all.filter(({ pid }) => roots.includes(pid));
  // It grows while it is walked.
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

function readProcess(pid: string): ProcessTime[] {
  try {
    return [parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"))];
  } catch {
    // It has ended.
    return [];
  }
}

/** proc_pid_stat(5); the name may have spaces and parentheses in it. */
export function parseStat(text: string): ProcessTime {
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    name: text.slice(text.indexOf("(") + 1, nameEnd),
    seconds: (field(14) + field(15)) / ticksPerSecond,
  };
}

export const difference = (from: Usage, to: Usage): Usage =>
  new Map([...to].map(([name, seconds]) => [name, seconds - (from.get(name) ?? 0)]));

export const scale = (usage: Usage, factor: number): Usage =>
  new Map([...usage].map(([name, seconds]) => [name, seconds * factor]));

export const total = (usage: Usage): number => [...usage.values()].reduce((sum, seconds) => sum + seconds, 0);
