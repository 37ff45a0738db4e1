// Completion for fish, from the command model.
import type { Command, Completion, Option } from "../model.ts";

export function fishCompletion(commands: readonly Command[]): string {
  const firsts = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""))];
  return [
    "# fish completion for cloche",
    "complete -c cloche -f",
    "function __cloche_names; cloche __complete $argv[1] 2>/dev/null; end",
    ...firsts.map((first) => {
      const summary = commands.find(({ name }) => name === first)?.summary ?? "its own commands";
      return `complete -c cloche -n __fish_use_subcommand -a ${first} -d ${quote(summary)}`;
    }),
    ...commands.flatMap(commandLines),
    "",
  ].join("\n");
}

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function commandLines(command: Command): string[] {
  const [first = "", second] = command.name.split(" ");
  const seen = second === undefined ? "" : `; and __fish_seen_subcommand_from ${second}`;
  const start = `complete -c cloche -n ${quote(`__fish_seen_subcommand_from ${first}${seen}`)}`;
  const [argument] = command.arguments;
  const group = `complete -c cloche -n ${quote(`__fish_seen_subcommand_from ${first}; and test (count (commandline -opc)) -eq 2`)}`;
  return [
    ...(second === undefined ? [] : [`${group} -a ${second} -d ${quote(command.summary)}`]),
    ...Object.entries(command.options).map(([name, option]) => `${start} ${optionWords(name, option)}`),
    `${start} -l json -d ${quote(command.json)}`,
    ...(argument ? [`${start}${values(argument.complete, argument.choices)}`] : []),
  ];
}

function optionWords(name: string, option: Option): string {
  const short = option.short === undefined ? "" : ` -s ${option.short}`;
  const takes = option.value === undefined ? "" : ` -r${values(option.complete, option.choices)}`;
  return `-l ${name}${short}${takes} -d ${quote(option.help)}`;
}

function values(kind: Completion | undefined, choices: readonly string[] | undefined): string {
  if (choices) return ` -a ${quote(choices.join(" "))}`;
  if (kind === "directory") return " -a '(__fish_complete_directories)'";
  return kind === undefined || kind === "program" ? "" : ` -a ${quote(`(__cloche_names ${kind})`)}`;
}
