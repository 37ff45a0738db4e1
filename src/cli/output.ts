// Writes to our own standard output and error; a reader that has gone away ends the command as SIGPIPE would.
import { once } from "node:events";

export interface Output {
  readonly isTerminal: boolean;
  /** Text and a newline. */
  print(text: string): Promise<void>;
  /** Resolves once more can be taken. False: nobody reads any more. */
  write(bytes: Buffer | string): Promise<boolean>;
  /** Resolves with all of it written. */
  flush(): Promise<void>;
  readonly isClosed: boolean;
}

export function makeOutput(stream: NodeJS.WriteStream): Output {
  let isClosed = false;
  stream.on("error", () => {
    isClosed = true;
  });
  const drained = async (): Promise<void> => {
    const settled = new AbortController();
    const { signal } = settled;
    // The one that does not come must not keep its listeners.
    const ends = ["drain", "close"].map((event) => once(stream, event, { signal }).catch(() => {}));
    await Promise.race(ends);
    settled.abort();
  };
  const write = async (bytes: Buffer | string): Promise<boolean> => {
    if (isClosed) return false;
    if (!stream.write(bytes)) await drained();
    return !isClosed;
  };
  return {
    isTerminal: stream.isTTY === true,
    write,
    print: async (text) => void (await write(`${text}\n`)),
    flush: () =>
      new Promise((resolve) => {
        stream.write("", () => resolve());
      }),
    get isClosed() {
      return isClosed;
    },
  };
}
