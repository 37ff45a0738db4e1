// The manual page cloche(1) in roff (man(7)), from the command model.
import { errorCodes } from "../errors.ts";
import { exitStatusTexts } from "./exit-status.ts";
import type { Command } from "./model.ts";
import { argumentWord, optionWord, usageLine } from "./usage.ts";

/** Text that roff prints as it is. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1")
    .replaceAll(/[\u0080-\u{10ffff}]/gu, (letter) => `\\[u${hexadecimal(letter)}]`);
}

const hexadecimal = (letter: string): string =>
  (letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");

const item = (term: string, text: string): string => `.TP\n\\fB${roff(term)}\\fR\n${roff(text)}`;

export function manualPage(commands: readonly Command[], version: string): string {
  return [
    `.TH CLOCHE 1 "" "cloche ${roff(version)}" "User Commands"`,
    ".SH NAME",
    "cloche \\- desktop applications in microVMs",
    ".SH SYNOPSIS",
    ".B cloche\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
    ".SH DESCRIPTION",
    roff("Each instance of an application has a kernel of its own, shows ordinary windows on the Wayland desktop,"),
    roff("and reaches only the files and the network that it was given."),
    ".SH COMMANDS",
    ...commands.map(commandSection),
    ".SH EXIT STATUS",
    ...exitStatusTexts.map(([status, text]) => item(status, text)),
    ".SH ERRORS",
    roff("With --json an error is an object with one of these codes:"),
    ...Object.entries(errorCodes).map(([code, text]) => item(code, text)),
    ".SH ENVIRONMENT",
    item(
      "WAYLAND_DISPLAY, XDG_RUNTIME_DIR",
      "the desktop that windows are shown on, and where sockets and the state of what runs are",
    ),
    item(
      "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME",
      "the user's manifests, homes of instances, logs, and images",
    ),
    item("CLOCHE_STORE", "the directory of images, instead of those under XDG_CACHE_HOME and /var/cache/cloche"),
    item("NO_COLOR", "no colour on terminals"),
    "",
  ].join("\n");
}

function commandSection(command: Command): string {
  return [
    `.SS ${roff(usageLine(command).replace(/^cloche /, ""))}`,
    roff(`${command.summary}.`),
    ...(command.description ?? []).map((text) => `.PP\n${roff(text)}`),
    ...command.arguments.map((argument) => item(argumentWord(argument), argument.help)),
    ...(command.trailing ? [item(`-- ${command.trailing.name}`, command.trailing.help)] : []),
    ...Object.entries(command.options).map(([name, option]) => {
      return item(optionWord(name, option), option.help);
    }),
    item("--json", command.json),
    ...command.examples.map(({ line, text }) => `.PP\n${roff(text)}:\n.RS 4\n.nf\n${roff(line)}\n.fi\n.RE`),
  ].join("\n");
}
