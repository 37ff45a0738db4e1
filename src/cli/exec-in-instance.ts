// A command in the guest on our own standard streams.
import { Socket } from "node:net";
import { parseInstanceName } from "../app/instance-name.ts";
import { ClocheError } from "../errors.ts";
import { askInstance } from "../instance/control-socket.ts";
import { requireState } from "../instance/state.ts";
import { ExecSession, type ExecSinks } from "../link/exec.ts";
import type { Command } from "../link/protocol.ts";
import { attachSignals, type Ending } from "./attach-signals.ts";
import { attachTerminal, terminalOf } from "./attach-terminal.ts";
import { Capture } from "./capture.ts";
import { type Context, printJson } from "./context.ts";
import { statusOfExit, statusOfSignal } from "./exit-status.ts";

export interface ExecRequest extends Omit<Command, "tty"> {
  readonly name: string;
  readonly hasTerminal: boolean;
}

/** Returns the command's exit status. */
export async function execInInstance(context: Context, request: ExecRequest): Promise<number> {
  const { name, hasTerminal, ...command } = request;
  if (hasTerminal && context.isJson) throw new ClocheError("usage", "--json and --tty exclude one another");
  const socket = new Socket({ fd: await openSession(parseInstanceName(name).id) });
  const capture = context.isJson ? new Capture() : undefined;
  const hungUp = Promise.withResolvers<Ending>();
  const end = (signal: NodeJS.Signals) => hungUp.resolve({ signal });
  const sinks = capture?.sinks ?? passThrough(context, () => end("SIGPIPE"));
  const session = new ExecSession(
    socket,
    { ...command, tty: hasTerminal ? terminalOf(context.environment) : null },
    sinks,
  );
  using _input = hasTerminal ? attachTerminal(session, end) : attachSignals(session, end);
  void feedInput(session);
  try {
    const ending = await Promise.race([session.exited, hungUp.promise]);
    // Nobody waits for a command whose terminal or reader has gone.
    if (!("code" in ending)) return statusOfSignal(ending.signal);
    if (capture) await printJson(context, { ...ending, ...capture.texts });
    return statusOfExit(ending);
  } finally {
    session.exited.catch(() => {});
    session.close();
    process.stdin.destroy();
  }
}

async function openSession(id: string): Promise<number> {
  const { phase } = await requireState(id);
  if (phase !== "running")
    throw new ClocheError("unknown-instance", `${id} is ${phase}`, { hint: `cloche logs -f ${id} shows how it goes.` });
  const fd = await askInstance(id, { type: "open-session" });
  if (fd === undefined) throw new ClocheError("protocol", `${id} gave no session`);
  return fd;
}

function passThrough(context: Context, onClosed: () => void): ExecSinks {
  const to = (output: Context["stdout"]) => async (chunk: Buffer) => {
    if (!(await output.write(chunk))) onClosed();
  };
  return { stdout: to(context.stdout), stderr: to(context.stderr) };
}

async function feedInput(session: ExecSession): Promise<void> {
  try {
    for await (const chunk of process.stdin) await session.writeInput(chunk);
  } catch {
    // Standard input is closed, or the command has ended.
  }
  session.endInput();
}
