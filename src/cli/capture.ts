// Keeps a command's output for --json, up to a limit.
import type { ExecSinks } from "../link/exec.ts";

/** Bytes of each stream. */
const maxBytes = 8 * 1024 * 1024;

export class Capture {
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly sinks: ExecSinks = { stdout: keep(this.#stdout), stderr: keep(this.#stderr) };

  get texts(): { readonly stdout: string; readonly stderr: string } {
    return {
      stdout: Buffer.concat(this.#stdout).toString("utf8"),
      stderr: Buffer.concat(this.#stderr).toString("utf8"),
    };
  }
}

function keep(chunks: Buffer[]): (chunk: Buffer) => void {
  let room = maxBytes;
  return (chunk) => {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room -= chunk.length;
  };
}
