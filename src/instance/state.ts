// What is known of a running instance, as its supervisor writes it: read back by schema, and checked against a live process.
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as bindings from "../../native/bindings/index.ts";
import { ClocheError } from "../errors.ts";
import { schemaCheck } from "../schema.ts";
import type { Share } from "../vmm/machine-spec.ts";
import { instancePath, instancesDirectory } from "./directory.ts";
import schema from "./state.schema.json" with { type: "json" };
import type { StageTime } from "./timing.ts";

export interface InstanceState {
  readonly id: string;
  readonly app: string;
  /** The supervisor, with its start time in clock ticks since boot: a process id alone may be another's by now. */
  readonly pid: number;
  readonly startTime: string;
  readonly phase: "starting" | "running" | "stopping";
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly monitor: string;
  /** Why this monitor, and why with or without KVM. */
  readonly reason: string;
  readonly accelerator: string;
  readonly machine: { readonly cpus: number; readonly memoryMib: number; readonly shares: readonly Share[] };
  /** The image's digest. */
  readonly image: string;
  readonly windows: boolean;
  /** What programs in the guest draw with, once it is ready; null without windows. */
  readonly renderer: string | null;
  /** Why it has no portals; null where it has them. */
  readonly portals: string | null;
  /** What of the host's it looks at now, such as the camera. */
  readonly inUse: readonly string[];
  readonly network: string;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly timings: readonly StageTime[];
}

const check = schemaCheck<InstanceState>(schema);
const maxBytes = 256 * 1024;
const fileName = "state.json";

export async function writeState(state: InstanceState): Promise<void> {
  const path = join(instancePath(state.id), fileName);
  await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Of this process, for the state that it writes. */
export const ownStartTime = (): string => String(bindings.processStartTime(process.pid) ?? 0n);

/** The state of a live instance, or undefined: no file, not by schema, or its supervisor is gone. */
export async function readState(id: string): Promise<InstanceState | undefined> {
  const bytes = await readFile(join(instancePath(id), fileName)).catch(() => undefined);
  if (bytes === undefined || bytes.length > maxBytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  return check.isValid(value) && value.id === id && isAlive(value) ? value : undefined;
}

/** All live instances, by name. */
export async function listStates(): Promise<InstanceState[]> {
  const names = await readdir(instancesDirectory()).catch(() => []);
  const states = await Promise.all(names.map(readState));
  return states.filter((state) => state !== undefined).sort((a, b) => a.id.localeCompare(b.id));
}

/** Throws `unknown-instance`. */
export async function requireState(id: string): Promise<InstanceState> {
  const state = await readState(id);
  if (state !== undefined) return state;
  const running = (await listStates()).map((other) => other.id).join(", ");
  throw new ClocheError("unknown-instance", `${id} is not running`, {
    hint: running ? `Running: ${running}.` : "Nothing is running.",
  });
}

function isAlive(state: InstanceState): boolean {
  return String(bindings.processStartTime(state.pid) ?? "") === state.startTime;
}
