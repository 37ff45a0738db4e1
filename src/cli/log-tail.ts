// Reads a file's lines as they are added, also when another file takes its place or it begins anew.
import { type FileHandle, open, stat } from "node:fs/promises";

const chunkBytes = 64 * 1024;
/** A line beyond it is not one of a log. */
const maxLineBytes = 1024 * 1024;

export class LogTail implements AsyncDisposable {
  readonly path: string;
  #file: FileHandle | undefined;
  #inode = 0n;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  /** Hands on every whole line that was added since the last call. */
  async read(onLine: (line: string) => Promise<void>): Promise<void> {
    do await this.#drain(onLine);
    while (await this.#isReplaced());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(onLine: (line: string) => Promise<void>): Promise<void> {
    const chunk = Buffer.alloc(chunkBytes);
    for (;;) {
      const { bytesRead } = (await this.#file?.read(chunk, 0, chunkBytes, this.#position)) ?? { bytesRead: 0 };
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const text = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]);
      const end = text.lastIndexOf(10) + 1;
      this.#rest = text.length - end > maxLineBytes ? Buffer.alloc(0) : Buffer.from(text.subarray(end));
      for (const line of text.subarray(0, end).toString("utf8").split("\n").slice(0, -1)) await onLine(line);
    }
  }

  /** Turns to the file that has the path now; false where it is the one that was read. */
  async #isReplaced(): Promise<boolean> {
    const found = await stat(this.path, { bigint: true }).catch(() => undefined);
    if (found === undefined) return false;
    const isSame = this.#file !== undefined && found.ino === this.#inode;
    if (isSame && found.size >= BigInt(this.#position)) return false;
    if (!isSame) {
      await this.#file?.close();
      this.#file = await open(this.path, "r").catch(() => undefined);
      this.#inode = found.ino;
    }
    this.#position = 0;
    this.#rest = Buffer.alloc(0);
    return this.#file !== undefined;
  }
}
