// The guest's console as the supervisor keeps it: the last lines, without control characters.

const keptLines = 60;

export class Console {
  readonly #lines: string[] = [];

  push(line: string): string {
    const clean = printable(line);
    this.#lines.push(clean);
    if (this.#lines.length > keptLines) this.#lines.shift();
    return clean;
  }

  /** What a failure shows: the lines round the kernel's panic, or the last ones. */
  excerpt(count: number): readonly string[] {
    const panic = this.#lines.findIndex(isPanic);
    return panic < 0 ? this.#lines.slice(-count) : this.#lines.slice(Math.max(0, panic - 2), panic - 2 + count);
  }

  /** The line with which the kernel gave up, if it did. */
  get panic(): string | undefined {
    return this.#lines.find(isPanic)?.replace(/^\[[ 0-9.]+\]\s*/, "");
  }
}

const isPanic = (line: string): boolean => line.includes("Kernel panic");

/** A guest's text must not move the cursor, ring or recolour the user's terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
