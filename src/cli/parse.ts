// Reads a command's options and arguments by its model. Every error names what is wrong, and how it would be right.
import { parseArgs } from "node:util";
import { ClocheError } from "../errors.ts";
import type { Command, Option, OptionTable, Parsed } from "./model.ts";
import { nearest } from "./suggest.ts";
import { usageLine } from "./usage.ts";

/** What every command takes besides its own. */
const commonOptions = ["json", "help"] as const;

/** Throws `usage`. */
export function parseCommandLine<O extends OptionTable>(command: Command<O>, argv: readonly string[]): Parsed<O> {
  const { texts, words, trailing } = sortWords(command, argv);
  const options = Object.entries(command.options).map(([name, option]) => [name, readOption(name, option, texts)]);
  checkWords(command, words, trailing);
  return { options: Object.fromEntries(options), arguments: words, trailing: trailing ?? [], argv };
}

/** Whether a flag that every command takes stands before `--`; true also on a command line that is wrong otherwise. */
export function hasCommonFlag(argv: readonly string[], names: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).some((word) => names.includes(word));
}

interface Words {
  readonly texts: ReadonlyMap<string, string[]>;
  readonly words: string[];
  /** Undefined where there is no `--`. */
  readonly trailing: string[] | undefined;
}

function sortWords(command: Command, argv: readonly string[]): Words {
  const table = Object.fromEntries([
    ...commonOptions.map((name) => [name, { type: "boolean", ...(name === "help" && { short: "h" }) }] as const),
    ...Object.entries(command.options).map(([name, option]) => [name, parseArgsOption(option)] as const),
  ]);
  const { tokens } = parseArgs({
    args: [...argv],
    options: table,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const texts = new Map<string, string[]>();
  const words: string[] = [];
  let trailing: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") trailing = [];
    else if (token.kind === "positional") (trailing ?? words).push(token.value);
    else takeOption(command, token, texts);
  }
  return { texts, words, trailing };
}

const parseArgsOption = (option: Option) => ({
  type: option.value === undefined ? ("boolean" as const) : ("string" as const),
  multiple: true,
  ...(option.short !== undefined && { short: option.short }),
});

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function takeOption(
  command: Command,
  { name, rawName, value, inlineValue }: OptionToken,
  texts: Map<string, string[]>,
) {
  const isCommon = commonOptions.some((common) => common === name);
  const option = isCommon ? undefined : Object.hasOwn(command.options, name) ? command.options[name] : undefined;
  if (option === undefined && !isCommon) throw unknownOption(command, rawName);
  const takesValue = option?.value !== undefined;
  if (takesValue && value === undefined)
    throw usageError(command, `${rawName} needs a value: ${rawName} ${option?.value}`);
  // `--memory --temp`: a value that looks like an option is far more often one that was forgotten.
  if (takesValue && !inlineValue && /^-(-|[A-Za-z])/.test(value ?? ""))
    throw usageError(
      command,
      `${rawName} needs a value, and ${value} looks like an option`,
      `Or write ${rawName}=${value}.`,
    );
  if (!takesValue && inlineValue) throw usageError(command, `${rawName} takes no value`);
  const given = texts.get(name) ?? [];
  if (takesValue && !option?.isList && given.length > 0) throw usageError(command, `${rawName} is given twice`);
  texts.set(name, [...given, value ?? ""]);
}

function unknownOption(command: Command, rawName: string): ClocheError {
  const known = [...Object.keys(command.options), ...commonOptions].map((name) => `--${name}`);
  const near = rawName.startsWith("--") ? nearest(rawName, known) : undefined;
  const message = `${command.name} has no option ${rawName}`;
  if (near !== undefined) return usageError(command, message, `Did you mean ${near}?`);
  const behind = command.trailing && `What belongs to the command goes behind "--": ${usageLine(command)}`;
  return usageError(command, message, behind);
}

function readOption(name: string, option: Option, texts: ReadonlyMap<string, string[]>): unknown {
  try {
    return option.read(texts.get(name) ?? []);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ClocheError("usage", `--${name}: ${error.message}`);
  }
}

function checkWords(command: Command, words: readonly string[], trailing: readonly string[] | undefined): void {
  const required = command.arguments.filter(({ isOptional }) => !isOptional);
  const missing = required[words.length];
  if (missing !== undefined) throw usageError(command, `${command.name}: ${missing.name} is missing`);
  const extra = words[command.arguments.length];
  if (extra !== undefined && !command.arguments.at(-1)?.isList) {
    const hint = command.trailing && `What belongs to the command goes behind "--": ${usageLine(command)}`;
    throw usageError(command, `${command.name}: ${JSON.stringify(extra)} is one argument too many`, hint);
  }
  if (trailing !== undefined && trailing.length > 0 && command.trailing === undefined)
    throw usageError(command, `${command.name} takes nothing behind "--"`);
  if (command.trailing && !command.trailing.isOptional && !trailing?.length)
    throw usageError(command, `${command.name}: ${command.trailing.name} is missing behind "--"`);
  for (const [index, { name, choices }] of command.arguments.entries()) {
    const word = words[index];
    if (word !== undefined && choices && !choices.includes(word))
      throw usageError(command, `${command.name}: ${name} is ${choices.join(" or ")}, not ${JSON.stringify(word)}`);
  }
}

function usageError(command: Command, message: string, hint: string = `Usage: ${usageLine(command)}`): ClocheError {
  return new ClocheError("usage", message, { hint });
}
