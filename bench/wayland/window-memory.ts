// Whether anything of the host copies pixels: who has the memory of the windows mapped, and what is read and written by system calls.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { treeOf } from "./cpu-time.ts";

const device = "cloche-gpu";
/** What stands between the guest and the compositor. */
const between = [device, "cloche-lens"];

export interface WindowMemory {
  readonly compositorMaps: boolean;
  /** Programs of the instance that have it mapped too. */
  readonly mappedBy: readonly string[];
}

/** The processes below `supervisor` that pixels could pass through; none where the monitor has a device of its own. */
export const processesBetween = (supervisor: number): number[] => {
  const found = treeOf([supervisor]).filter(({ name }) => between.includes(name));
  return found.some(({ name }) => name === device) ? found.map(({ pid }) => pid) : [];
};

/** Where the device's memory of the windows is mapped at this moment. */
export function lookAtMemory(supervisor: number, compositor: number): WindowMemory {
  const tree = treeOf([supervisor]);
  const held = new Set(tree.filter(({ name }) => name === device).flatMap(({ pid }) => memfdsOf(pid)));
  const mapped = memfdsMapped(compositor).filter((inode) => held.has(inode));
  const others = tree.filter(({ pid }) => memfdsMapped(pid).some((inode) => mapped.includes(inode)));
  return { compositorMaps: mapped.length > 0, mappedBy: [...new Set(others.map(({ name }) => name))] };
}

/** Bytes that they have moved by read, write and the like (proc_pid_io(5): rchar, wchar); messages on sockets do not count. */
export function bytesMoved(pids: readonly number[]): number {
  const fields = pids.flatMap((pid) => readFileSync(`/proc/${pid}/io`, "latin1").match(/(?<=^[rw]char: )\d+/gm) ?? []);
  return fields.reduce((sum, bytes) => sum + Number(bytes), 0);
}

function memfdsOf(pid: number): number[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    const found = statSync(`${directory}/${fd}`, { throwIfNoEntry: false });
    return found?.isFile() ? found.ino : [];
  });
}

function memfdsMapped(pid: number): number[] {
  try {
    return parseMaps(readFileSync(`/proc/${pid}/maps`, "latin1"));
  } catch {
    // It has ended.
    return [];
  }
}

/** Inodes of the memfds in proc_pid_maps(5). */
export const parseMaps = (text: string): number[] =>
  [...text.matchAll(/^\S+ \S+ \S+ \S+ (\d+) +\/memfd:/gm)].map(([, inode]) => Number(inode));
