// cloche run --detach: the supervisor as a process of its own session, and our wait until it is ready.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { ClocheError } from "../errors.ts";
import { announce } from "./announce.ts";
import type { Context } from "./context.ts";
import { type ChildMessage, reviveError } from "./detached-message.ts";
import { exitStatus } from "./exit-status.ts";
import { RelayedProgress } from "./relayed-progress.ts";

/** `argv`: what was typed behind `run`. Returns once the instance runs. Throws the child's error. */
export async function runDetached(context: Context, argv: readonly string[]): Promise<number> {
  const interrupts = context.interrupts();
  const [script = ""] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, script, "__detached", ...argv], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ready = waitForReady(child, new RelayedProgress(context.progress));
  const first = await Promise.race([ready, interrupts.first]);
  if (typeof first === "string") {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await Promise.race([exited, ready.catch(() => {})]);
    throw new ClocheError("interrupted", "interrupted");
  }
  child.disconnect();
  child.unref();
  await announce(context, first.facts, first.hasTiming);
  if (!context.isJson) await context.stdout.print(first.facts.instance);
  return exitStatus.success;
}

function waitForReady(
  child: ChildProcess,
  progress: RelayedProgress,
): Promise<Extract<ChildMessage, { type: "ready" }>> {
  const { promise, resolve, reject } = Promise.withResolvers<Extract<ChildMessage, { type: "ready" }>>();
  child.on("message", (value) => {
    // It comes from our own code on a channel that only we have.
    const message = value as ChildMessage;
    if (message.type === "ready") resolve(message);
    else if (message.type === "failed") reject(reviveError(message.error));
    else progress.take(message);
  });
  child.on("error", (cause) => reject(new ClocheError("state", "the supervisor could not be started", { cause })));
  child.on("exit", (code, signal) => {
    // Its last message may still be on its way.
    setImmediate(() => reject(new ClocheError("state", `the supervisor ended with ${signal ?? `status ${code}`}`)));
  });
  promise.catch(() => {});
  return promise;
}
