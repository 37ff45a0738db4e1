// One way from the load client to the compositor, and a run of the client on it.
import { createInterface } from "node:readline";
import { execa } from "execa";

const deadlineMs = 15 * 60_000;

export interface Side {
  /** For the reader. */
  readonly name: string;
  /** The argv that starts the load client with `args`, and all of its environment. */
  command(args: readonly string[]): [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Watch {
  /** The client is warm and waits. */
  begin?(): void;
  /** It has given its result, and its window is still there. */
  end?(): void;
}

/** Runs the client once and returns what it measured. Throws with what it said where it fails. */
export async function runLoad<Result>(side: Side, args: readonly string[], watch: Watch = {}): Promise<Result> {
  const [file, ...rest] = side.command(args);
  const child = execa(file, rest, {
    ...{ stdin: "pipe", buffer: { stdout: false }, reject: false, extendEnv: false, cwd: "/", timeout: deadlineMs },
    env: side.environment,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (!done) return value;
    const { exitCode, stderr } = await child;
    throw new Error(`${side.name}: the load client (${args.join(" ")}) ended with ${exitCode}: ${stderr}`);
  };
  try {
    await nextLine();
    watch.begin?.();
    child.stdin.write("go\n");
    const result: Result = JSON.parse(await nextLine());
    watch.end?.();
    return result;
  } finally {
    child.stdin.end();
    await child;
  }
}
