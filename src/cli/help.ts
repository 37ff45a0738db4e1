// Help texts, from the command model.
import { exitStatusTexts } from "./exit-status.ts";
import type { Command } from "./model.ts";
import type { Style } from "./style.ts";
import { renderTable } from "./table.ts";
import { argumentWord, optionWord, usageLine } from "./usage.ts";

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");
const width = 100;

/** Breaks a paragraph into lines. */
function wrap(text: string): string {
  return text.replaceAll(new RegExp(`(.{1,${width}})(?:\\s+|$)`, "g"), "$1\n").trimEnd();
}

const section = (title: string, body: string, style: Style): string => `${style("bold", title)}\n${indent(body)}`;

/** `cloche --help` */
export function overallHelp(commands: readonly Command[], style: Style): string {
  const rows = commands.map(({ name, summary }) => [style("cyan", name), summary]);
  return [
    "Runs desktop applications in microVMs: each has a kernel of its own and shows ordinary windows on your desktop.",
    section("Usage", "cloche COMMAND [OPTIONS] [ARGUMENTS]\ncloche COMMAND --help", style),
    section("Commands", renderTable(rows), style),
    section("Options of every command", commonOptionTable(style), style),
    section("Exit status", renderTable(exitStatusTexts), style),
  ].join("\n\n");
}

/** `cloche image --help`: the commands of one group. */
export function groupHelp(group: string, commands: readonly Command[], style: Style): string {
  const rows = commands.map(({ name, summary }) => [style("cyan", name), summary]);
  return [section("Usage", `cloche ${group} COMMAND`, style), section("Commands", renderTable(rows), style)].join(
    "\n\n",
  );
}

/** `cloche COMMAND --help` */
export function commandHelp(command: Command, style: Style): string {
  const operands = [
    ...command.arguments.map((argument) => [style("cyan", argumentWord(argument)), argument.help]),
    ...(command.trailing ? [[style("cyan", `-- ${command.trailing.name}`), command.trailing.help]] : []),
  ];
  const options = Object.entries(command.options).map(([name, option]) => [
    style("cyan", optionWord(name, option)),
    option.help,
  ]);
  const examples = command.examples.map(({ line, text }) => [line, style("dim", text)]);
  return [
    `${command.summary}.`,
    section("Usage", usageLine(command), style),
    ...(command.description ?? []).map(wrap),
    ...(operands.length > 0 ? [section("Arguments", renderTable(operands), style)] : []),
    section("Options", [renderTable([...options, ...commonRows(command, style)])].join("\n"), style),
    ...(examples.length > 0 ? [section("Examples", renderTable(examples), style)] : []),
  ].join("\n\n");
}

const commonRows = (command: Command, style: Style) => [
  [style("cyan", "--json"), `for programs: ${command.json}`],
  [style("cyan", "-h, --help"), "show this text"],
];

const commonOptionTable = (style: Style) =>
  renderTable([
    [style("cyan", "--json"), "for programs: a documented JSON value instead of text, errors too"],
    [style("cyan", "-h, --help"), "show what a command does, its options and examples"],
    [style("cyan", "--version"), "show Cloche's version (without a command)"],
  ]);
