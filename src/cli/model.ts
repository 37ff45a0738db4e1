// What a command is. Parsing, help, completion and the manual page are all generated from this.
import type { Context } from "./context.ts";

/** What a shell can complete a value or an argument with. */
export type Completion = "app" | "instance" | "log" | "image" | "directory" | "program" | "command";

export interface Option<T = unknown> {
  readonly help: string;
  readonly short?: string;
  /** The value's name in help texts; a flag has none. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly complete?: Completion;
  /** Whether it may be given more than once. */
  readonly isList: boolean;
  /** Takes the texts that were typed, none where the option was not. Throws RangeError with what is wrong. */
  readonly read: (texts: readonly string[]) => T;
}

export type OptionTable = Readonly<Record<string, Option>>;

export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly complete?: Completion;
  readonly choices?: readonly string[];
  readonly isOptional?: boolean;
  /** Only the last one: it takes all that are left. */
  readonly isList?: boolean;
}

/** What stands behind `--` and is handed on as it is. */
interface Trailing {
  readonly name: string;
  readonly help: string;
  readonly isOptional: boolean;
}

interface Example {
  readonly line: string;
  readonly text: string;
}

export interface Parsed<O extends OptionTable = OptionTable> {
  readonly options: { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };
  readonly arguments: readonly string[];
  readonly trailing: readonly string[];
  /** What was typed behind the command's name. */
  readonly argv: readonly string[];
}

export interface Command<O extends OptionTable = OptionTable> {
  /** One word, or two: `image build`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs beyond the summary. */
  readonly description?: readonly string[];
  readonly arguments: readonly Argument[];
  readonly trailing?: Trailing;
  readonly options: O;
  /** What --json prints. */
  readonly json: string;
  readonly examples: readonly Example[];
  /** Its exit status is that of a command in the guest, so Cloche's own failures have one of their own. */
  readonly carriesStatus?: boolean;
  /** Returns the exit status. */
  run(context: Context, parsed: Parsed<O>): Promise<number>;
}

/** Gives a command the types of its own options. */
export const defineCommand = <O extends OptionTable>(command: Command<O>): Command<O> => command;

interface OptionFacts {
  readonly short?: string;
  readonly complete?: Completion;
}

export const flag = (help: string, facts: OptionFacts = {}): Option<boolean> => ({
  ...facts,
  help,
  isList: false,
  read: (texts) => texts.length > 0,
});

/** `read` throws RangeError for a text that is not such a value. */
export const value = <T>(
  name: string,
  help: string,
  read: (text: string) => T,
  facts: OptionFacts = {},
): Option<T | undefined> => ({
  ...facts,
  help,
  value: name,
  isList: false,
  read: ([text]) => (text === undefined ? undefined : read(text)),
});

export const list = <T>(
  name: string,
  help: string,
  read: (text: string) => T,
  facts: OptionFacts = {},
): Option<readonly T[]> => ({ ...facts, help, value: name, isList: true, read: (texts) => texts.map(read) });

/** One of `choices`; the first is what goes without it. */
export const choice = <const T extends string>(
  name: string,
  choices: readonly [T, ...T[]],
  help: string,
  facts: OptionFacts = {},
): Option<T> => ({
  ...facts,
  help: `${help}: ${choices.join(", ")} (default: ${choices[0]})`,
  value: name,
  choices,
  isList: false,
  read: ([text = choices[0]]) => {
    const found = choices.find((known) => known === text);
    if (found === undefined) throw new RangeError(`${JSON.stringify(text)} is none of ${choices.join(", ")}`);
    return found;
  },
});
