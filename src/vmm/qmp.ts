// QEMU's control protocol (QMP, docs/interop/qmp-spec.rst): one JSON object a line, answers matched by id.
import type { Duplex } from "node:stream";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { readLines } from "../read-lines.ts";
import type { MonitorControl } from "./contract.ts";
import { within } from "./deadline.ts";

/** Bytes of one answer; the largest that we ask for has a few hundred. */
const maxLineBytes = 64 * 1024;
const answerTimeoutMs = scaled(10_000);

interface QmpMessage {
  readonly QMP?: unknown;
  readonly id?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc?: unknown };
}

interface Pending {
  readonly command: string;
  readonly resolve: () => void;
  readonly reject: (error: ClocheError) => void;
}

/** Shakes hands on `stream`. Throws `protocol` for what is not QMP, `monitor-failed` when QEMU hangs up or says nothing. */
export async function connectQmp(stream: Duplex, signal: AbortSignal): Promise<MonitorControl> {
  const pending = new Map<number, Pending>();
  const greeting = Promise.withResolvers<void>();
  let lastId = 0;

  const end = (error: ClocheError) => {
    greeting.reject(error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    stream.destroy();
  };
  const receive = (line: string) => {
    const message = parseMessage(line);
    if (message === undefined) return end(new ClocheError("protocol", "QEMU sent something that is not QMP"));
    if (message.QMP !== undefined) return greeting.resolve();
    if (typeof message.id !== "number") return;
    const asked = pending.get(message.id);
    pending.delete(message.id);
    if (message.error === undefined) asked?.resolve();
    else
      asked?.reject(new ClocheError("monitor-failed", `QEMU refused ${asked.command}: ${String(message.error.desc)}`));
  };
  const execute = async (command: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const id = ++lastId;
    pending.set(id, { command, resolve, reject });
    stream.write(`${JSON.stringify({ execute: command, id })}\n`);
    await withDeadline(promise, command);
  };

  readLines(stream, {
    maxLineBytes,
    onLine: receive,
    onOverflow: () => end(new ClocheError("protocol", "QEMU sent too long a line")),
  });
  stream.on("error", (cause) => end(new ClocheError("monitor-failed", "QEMU's control socket failed", { cause })));
  stream.on("close", () => end(new ClocheError("monitor-failed", "QEMU closed its control socket")));
  signal.addEventListener("abort", () => end(new ClocheError("interrupted", "the launch was given up")), {
    once: true,
  });

  await withDeadline(greeting.promise, "its greeting");
  await execute("qmp_capabilities");
  return {
    powerDown: () => execute("system_powerdown"),
    pause: () => execute("stop"),
    resume: () => execute("cont"),
    quit: () => execute("quit"),
  };
}

function parseMessage(line: string): QmpMessage | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const withDeadline = <T>(promise: Promise<T>, what: string): Promise<T> =>
  within(promise, answerTimeoutMs, () => `QEMU did not answer ${what} in ${answerTimeoutMs / 1000} s`);
