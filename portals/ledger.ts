// What was asked for and what was answered, kept on this machine.
import { appendFile, mkdir, readFile, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stateDirectory } from "../src/paths.ts";
import type { Permission } from "./portal.ts";

/** Bytes; the one before it is kept as `.1`. */
const maxBytes = 1024 * 1024;

export type Answer = "allowed" | "denied" | "cancelled" | "failed" | "refused";

export interface LedgerEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly instance: string;
  readonly permission: Permission;
  /** Such as `FileChooser.OpenFile`. */
  readonly request: string;
  readonly answer: Answer;
  /** Who answered: a setting, the user in a dialog, or the broker's own bounds. */
  readonly by: "setting" | "dialog" | "bounds" | "default";
}

const path = (): string => join(stateDirectory(), "permissions.jsonl");

export class Ledger {
  readonly #instance: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** A full disk loses the line, and nothing else. */
  record(entry: Omit<LedgerEntry, "time" | "instance">): void {
    const line = `${JSON.stringify({ time: new Date().toISOString(), instance: this.#instance, ...entry })}\n`;
    this.#writing = this.#writing.then(() => append(line)).catch(() => {});
  }

  /** Resolves when all is written. */
  flush(): Promise<void> {
    return this.#writing;
  }
}

async function append(line: string): Promise<void> {
  const file = path();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size > maxBytes) await rename(file, `${file}.1`);
  await appendFile(file, line, { mode: 0o600 });
}

/** The entries of an instance, or of all, oldest first. */
export async function readLedger(instance?: string): Promise<LedgerEntry[]> {
  const texts = await Promise.all([`${path()}.1`, path()].map((file) => readFile(file, "utf8").catch(() => "")));
  const entries = texts.flatMap((text) => text.split("\n")).flatMap(parseLine);
  return instance === undefined ? entries : entries.filter((entry) => entry.instance === instance);
}

/** A line that was cut off is passed over. */
function parseLine(line: string): LedgerEntry[] {
  try {
    return line === "" ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}
