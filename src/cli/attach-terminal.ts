// Our terminal as that of a command in the guest: bytes as they come, its size, and its old mode again at the end.
import type { ExecSession } from "../link/exec.ts";
import type { Terminal } from "../link/protocol.ts";

const hangups = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const;

/** The size and kind of our terminal; those of a classic one where we have none. */
export function terminalOf(environment: NodeJS.ProcessEnv): Terminal {
  return { ...size(), term: environment.TERM || "xterm-256color" };
}

/** Until disposed of. In raw mode Ctrl-C is a byte, so a signal comes from outside: `onLeave` is called with it. */
export function attachTerminal(session: ExecSession, onLeave: (signal: NodeJS.Signals) => void): Disposable {
  const setRaw = (isRaw: boolean) => {
    if (process.stdin.isTTY) process.stdin.setRawMode(isRaw);
  };
  const restore = () => setRaw(false);
  const resize = () => {
    const { columns, rows } = size();
    session.resize(columns, rows);
  };
  // Whoever stopped us from outside has used the terminal in between.
  const resume = () => {
    restore();
    setRaw(true);
    resize();
  };
  setRaw(true);
  process.on("exit", restore);
  process.on("SIGWINCH", resize);
  process.on("SIGCONT", resume);
  for (const name of hangups) process.on(name, onLeave);
  return {
    [Symbol.dispose]() {
      restore();
      process.off("exit", restore);
      process.off("SIGWINCH", resize);
      process.off("SIGCONT", resume);
      for (const name of hangups) process.off(name, onLeave);
    },
  };
}

function size(): { columns: number; rows: number } {
  const screen = [process.stdout, process.stderr].find(({ isTTY }) => isTTY);
  return { columns: screen?.columns || 80, rows: screen?.rows || 24 };
}
