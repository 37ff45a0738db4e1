// Completion for zsh (zshcompsys(1), _arguments), from the command model.
import { type Argument, type Command, type Completion, flag, type Option } from "../model.ts";

export function zshCompletion(commands: readonly Command[]): string {
  const groups = [...new Set(commands.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ")[0] ?? ""] : [])))];
  const singles = commands.filter(({ name }) => !name.includes(" "));
  const firsts = [...singles.map(describe), ...groups.map((group) => quote(`${group}:its own commands`))];
  return `#compdef cloche
_cloche_names() { local -a names; names=(\${(f)"$(cloche __complete $1 2>/dev/null)"}); compadd -- $names }
_cloche() {
  if (( CURRENT == 2 )); then
    local -a commands; commands=(${firsts.join(" ")})
    _describe command commands; return
  fi
  local command=$words[2]; shift words; (( CURRENT-- ))
  case $command in
${groups.map((group) => groupCase(group, commands)).join("\n")}
  esac
  case $command in
${commands.map(commandCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _cloche ]]; then _cloche "$@"; else compdef _cloche cloche; fi
`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const describe = ({ name, summary }: Command): string => quote(`${name.split(" ").at(-1)}:${summary}`);

function groupCase(group: string, commands: readonly Command[]): string {
  const members = commands.filter(({ name }) => name.startsWith(`${group} `)).map(describe);
  return `    ${group})
      if (( CURRENT == 2 )); then local -a commands; commands=(${members.join(" ")}); _describe command commands; return; fi
      command="${group} $words[2]"; shift words; (( CURRENT-- )) ;;`;
}

function commandCase(command: Command): string {
  const options = Object.entries({ ...command.options, json: flag(command.json), help: flag("show its help") });
  const specs = [...options.map(([name, option]) => optionSpec(name, option)), ...command.arguments.map(argumentSpec)];
  return `    ${quote(command.name)}) _arguments -s ${[...specs, ...(command.trailing ? ["'*::command:_normal'"] : [])].join(" ")} ;;`;
}

/** In a specification brackets and colons have a meaning. */
const escapeSpec = (text: string): string => text.replaceAll(/[[\]:\\]/g, "\\$&");

function optionSpec(name: string, option: Option): string {
  const takes =
    option.value === undefined ? "" : `:${escapeSpec(option.value)}:${action(option.complete, option.choices)}`;
  const word = (text: string) => quote(`${option.isList ? "*" : ""}${text}[${escapeSpec(option.help)}]${takes}`);
  return [`--${name}`, ...(option.short === undefined ? [] : [`-${option.short}`])].map(word).join(" ");
}

const argumentSpec = ({ name, isList, complete, choices }: Argument, index: number): string =>
  quote(`${isList ? "*" : index + 1}:${escapeSpec(name)}:${action(complete, choices)}`);

function action(kind: Completion | undefined, choices: readonly string[] | undefined): string {
  if (choices) return `(${choices.join(" ")})`;
  if (kind === "directory") return "_files -/";
  return kind === undefined || kind === "program" ? " " : `_cloche_names ${kind}`;
}
