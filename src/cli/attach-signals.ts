// Passes our signals on to a command in the guest.
import type { ExecSession } from "../link/exec.ts";
import type { SignalName } from "../link/protocol.ts";

/** A signal that ended our part of the session. */
export interface Ending {
  readonly signal: NodeJS.Signals;
}

const passedOn: readonly SignalName[] = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "CONT"];
/** A command that takes no notice of that many is left alone. */
const patience = 3;

/** Until disposed of. `onLeave` is called where the user insists. */
export function attachSignals(session: ExecSession, onLeave: (signal: NodeJS.Signals) => void): Disposable {
  let insisted = 0;
  const pass = (signal: NodeJS.Signals) => {
    session.signal(signalName(signal));
    if (signal === "SIGINT" || signal === "SIGTERM" || signal === "SIGHUP") insisted += 1;
    if (insisted >= patience) onLeave(signal);
  };
  const suspend = () => {
    session.signal("TSTP");
    process.kill(process.pid, "SIGSTOP");
  };
  const names = passedOn.map((name) => `SIG${name}` as const);
  for (const name of names) process.on(name, pass);
  process.on("SIGTSTP", suspend);
  return {
    [Symbol.dispose]() {
      for (const name of names) process.off(name, pass);
      process.off("SIGTSTP", suspend);
    },
  };
}

function signalName(signal: NodeJS.Signals): SignalName {
  return passedOn.find((name) => `SIG${name}` === signal) ?? "TERM";
}
