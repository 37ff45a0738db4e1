// A command's synopsis, from its model.
import type { Argument, Command, Option } from "./model.ts";

/** `cloche run APP[@INSTANCE] [OPTIONS] [-- ARGS…]` */
export function usageLine(command: Command): string {
  const { trailing } = command;
  const behind = trailing && (trailing.isOptional ? `[-- ${trailing.name}]` : `-- ${trailing.name}`);
  const options = Object.keys(command.options).length > 0 ? "[OPTIONS]" : undefined;
  return ["cloche", command.name, options, ...command.arguments.map(argumentWord), behind].filter(Boolean).join(" ");
}

export function argumentWord({ name, isOptional, isList }: Argument): string {
  const word = `${name}${isList ? "…" : ""}`;
  return isOptional ? `[${word}]` : word;
}

/** `-m, --memory MEMORY` */
export function optionWord(name: string, option: Pick<Option, "short" | "value" | "isList">): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`;
}
