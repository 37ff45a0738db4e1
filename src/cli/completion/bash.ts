// Completion for bash, from the command model. Names of applications and instances are asked for when TAB is pressed.
import type { Command, Completion, Option } from "../model.ts";

export function bashCompletion(commands: readonly Command[]): string {
  const firsts = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""))];
  return `# bash completion for cloche
_cloche() {
  local cur prev command i
  cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${firsts.join(" ")} --help --version" -- "$cur"))
    return
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    [ "\${COMP_WORDS[i]}" = -- ] && { COMPREPLY=($(compgen -f -- "$cur")); return; }
  done
  command=\${COMP_WORDS[1]}
  case $command in
${groupCases(commands)}
  esac
  case $command:$prev in
${commands.flatMap((command) => Object.entries(command.options).flatMap((entry) => optionCase(command, ...entry))).join("\n")}
  esac
  case $cur in -*)
    case $command in
${commands.map((command) => `      ${quote(command.name)}) COMPREPLY=($(compgen -W "${optionWords(command)}" -- "$cur")) ;;`).join("\n")}
    esac
    return ;;
  esac
  case $command in
${commands.flatMap(argumentCase).join("\n")}
  esac
}
complete -F _cloche cloche
`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** \`image build\` is a command of two words. */
function groupCases(commands: readonly Command[]): string {
  const groups = [...new Set(commands.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ")[0] ?? ""] : [])))];
  const cases = groups.map((group) => {
    const members = commands
      .filter(({ name }) => name.startsWith(`${group} `))
      .map(({ name }) => name.slice(group.length + 1));
    return `    ${group})
      if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "${members.join(" ")} --help" -- "$cur")); return; fi
      command="${group} \${COMP_WORDS[2]}" ;;`;
  });
  return [
    ...cases,
    '    help) COMPREPLY=($(compgen -W "$(cloche __complete command 2>/dev/null)" -- "$cur")); return ;;',
  ].join("\n");
}

const optionWords = (command: Command): string =>
  [...Object.keys(command.options).map((name) => `--${name}`), "--json", "--help"].join(" ");

function optionCase(command: Command, name: string, option: Option): string[] {
  if (option.value === undefined) return [];
  const words = [`--${name}`, ...(option.short === undefined ? [] : [`-${option.short}`])];
  const patterns = words.map((word) => quote(`${command.name}:${word}`)).join("|");
  return [`    ${patterns}) ${reply(option.complete, option.choices)} return ;;`];
}

function argumentCase(command: Command): string[] {
  const [first] = command.arguments;
  return first === undefined ? [] : [`    ${quote(command.name)}) ${reply(first.complete, first.choices)} ;;`];
}

function reply(kind: Completion | undefined, choices: readonly string[] | undefined): string {
  if (choices) return `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$cur"));`;
  if (kind === "directory") return 'COMPREPLY=($(compgen -d -- "$cur"));';
  if (kind === undefined || kind === "program") return ":;";
  return `COMPREPLY=($(compgen -W "$(cloche __complete ${kind} 2>/dev/null)" -- "$cur"));`;
}
