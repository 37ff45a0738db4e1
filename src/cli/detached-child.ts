// The supervisor that `cloche run --detach` leaves behind: its words go to whoever started it, until it is ready.
import { run } from "./commands/run.ts";
import { processContext } from "./context.ts";
import { type ChildMessage, packError } from "./detached-message.ts";
import { statusOfError } from "./exit-status.ts";
import { parseCommandLine } from "./parse.ts";
import { SentProgress } from "./relayed-progress.ts";
import { readRunRequest, runApp } from "./run-app.ts";

/** `argv`: what was typed behind `run`. Never throws. */
export async function superviseDetached(argv: readonly string[]): Promise<number> {
  const context = { ...processContext(false), progress: new SentProgress(tell) };
  const interrupts = context.interrupts();
  const giveUp = () => interrupts.raise("SIGHUP");
  process.once("disconnect", giveUp);
  try {
    const parsed = parseCommandLine(run, argv);
    return await runApp(context, readRunRequest(parsed), async (facts) => {
      process.off("disconnect", giveUp);
      tell({ type: "ready", facts, hasTiming: parsed.options.timing });
      process.chdir("/");
    });
  } catch (error) {
    await new Promise<void>((resolve) => {
      const message: ChildMessage = { type: "failed", error: packError(error) };
      if (!process.connected || !process.send?.(message, undefined, {}, () => resolve())) resolve();
    });
    return statusOfError(error, { carriesStatus: true, interruptedBy: interrupts.received });
  }
}

function tell(message: ChildMessage): void {
  // Once the channel is closed nobody listens.
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}
