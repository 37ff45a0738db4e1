// cloche logs: reads an instance's log, and goes on with it.

import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { parseInstanceName } from "../app/instance-name.ts";
import { ClocheError } from "../errors.ts";
import { logPath } from "../log.ts";
import type { Context } from "./context.ts";
import { exitStatus, statusOfSignal } from "./exit-status.ts";
import { formatLogLine } from "./log-line.ts";
import { LogTail } from "./log-tail.ts";

export interface LogRequest {
  readonly name: string;
  readonly isFollowed: boolean;
  /** Milliseconds since 1970. */
  readonly sinceMs: number | undefined;
}

export async function showLog(context: Context, request: LogRequest): Promise<number> {
  const { id } = parseInstanceName(request.name);
  const path = logPath(id);
  const exists = await stat(path).catch(() => undefined);
  if (!exists)
    throw new ClocheError("unknown-instance", `${id} has no log`, {
      hint: "It was never run. cloche ps lists what runs.",
    });
  const format = { isJson: context.isJson, sinceMs: request.sinceMs, style: context.style };
  const show = async (line: string) => {
    const text = formatLogLine(line, format);
    if (text !== undefined) await context.stdout.print(text);
  };
  await using old = new LogTail(`${path}.1`);
  await old.read(show);
  await using tail = new LogTail(path);
  await tail.read(show);
  return request.isFollowed ? follow(context, id, tail, show) : exitStatus.success;
}

async function follow(
  context: Context,
  id: string,
  tail: LogTail,
  show: (line: string) => Promise<void>,
): Promise<number> {
  const interrupts = context.interrupts();
  const over = new AbortController();
  const isOver = Promise.withResolvers<void>();
  // Reads one after the other; a change during one leads to one more.
  let reading = Promise.resolve();
  const read = () => {
    reading = reading
      .then(() => tail.read(show))
      .then(() => {
        if (context.stdout.isClosed) isOver.resolve();
      }, isOver.reject);
  };
  const { watch } = await import("chokidar");
  const watcher = watch(dirname(tail.path), {
    depth: 0,
    ignored: (path, found) => found?.isFile() === true && basename(path) !== basename(tail.path),
  });
  watcher.on("all", read);
  try {
    await Promise.race([instanceEnd(id, over.signal), interrupts.first, isOver.promise]);
    read();
    await reading;
    return interrupts.received === undefined ? exitStatus.success : statusOfSignal(interrupts.received);
  } finally {
    over.abort();
    await watcher.close();
  }
}

/** Resolves when the instance's supervisor has ended, at once where none runs. */
async function instanceEnd(id: string, signal: AbortSignal): Promise<void> {
  const { readState } = await import("../instance/state.ts");
  const state = await readState(id);
  if (state === undefined) return;
  const bindings = await import("../../native/bindings/index.ts");
  const fdpass = await import("../../native/fdpass/index.ts");
  const pidfd = bindings.openPidfd(state.pid);
  try {
    await bindings.waitPidfd(pidfd, signal).catch(() => {});
  } finally {
    fdpass.close(pidfd);
  }
}
