// Which command the first words of a command line name.
import { ClocheError } from "../errors.ts";
import { commandNames } from "./commands.ts";
import { nearest } from "./suggest.ts";

export type Resolution =
  | { readonly kind: "command"; readonly name: string; readonly rest: readonly string[] }
  | { readonly kind: "group"; readonly name: string };

/** `words` begins with the command. Throws `usage` where there is none of that name. */
export function resolveCommand(words: readonly string[]): Resolution {
  const [first = "", second] = words;
  if (commandNames.includes(first)) return { kind: "command", name: first, rest: words.slice(1) };
  const members = commandNames
    .filter((name) => name.startsWith(`${first} `))
    .map((name) => name.slice(first.length + 1));
  if (first === "" || members.length === 0) throw unknown(first, commandNames, "");
  if (second === undefined || second.startsWith("-")) return { kind: "group", name: first };
  if (!members.includes(second)) throw unknown(second, members, `${first} `);
  return { kind: "command", name: `${first} ${second}`, rest: words.slice(2) };
}

function unknown(word: string, known: readonly string[], prefix: string): ClocheError {
  const near = nearest(word, known);
  return new ClocheError("usage", `there is no command ${JSON.stringify(prefix + word)}`, {
    hint: near === undefined ? "cloche --help lists the commands." : `Did you mean cloche ${prefix}${near}?`,
  });
}
