// From the words of a command line to an exit status: parse, one call, print.
import { ClocheError } from "../errors.ts";
import { loadAllCommands, loadCommand, loadGroup } from "./commands.ts";
import { type Context, printJson, processContext } from "./context.ts";
import { errorDocument, reportError } from "./error-report.ts";
import { exitStatus, statusOfError, statusOfSignal } from "./exit-status.ts";
import { commandHelp, groupHelp, overallHelp } from "./help.ts";
import type { Command } from "./model.ts";
import { hasCommonFlag, parseCommandLine } from "./parse.ts";
import { resolveCommand } from "./resolve.ts";
import { styleFor } from "./style.ts";
import { packageVersion } from "./version.ts";

/** Runs `cloche` with these words. Never throws. */
export async function dispatch(words: readonly string[]): Promise<number> {
  const context = processContext(hasCommonFlag(words, ["--json"]));
  let command: Command | undefined;
  let status: number;
  try {
    if (words[0] === "__complete") return await complete(context, words.slice(1));
    if (words[0] === "__detached") return await (await import("./detached-child.ts")).superviseDetached(words.slice(1));
    const special = await answerWithoutCommand(context, words);
    if (special !== undefined) return special;
    const resolution = resolveCommand(words);
    if (resolution.kind === "group") return await explainGroup(context, resolution.name, words);
    command = await loadCommand(resolution.name);
    if (hasCommonFlag(resolution.rest, ["--help", "-h"])) {
      await context.stdout.print(commandHelp(command, context.style));
      return exitStatus.success;
    }
    status = await command.run(context, parseCommandLine(command, resolution.rest));
  } catch (error) {
    await showError(context, error);
    const carriesStatus = command?.carriesStatus ?? false;
    status = statusOfError(error, { carriesStatus, interruptedBy: context.interruptedBy() });
  }
  if (context.stdout.isClosed && !command?.carriesStatus) status = statusOfSignal("SIGPIPE");
  await Promise.all([context.stdout.flush(), context.stderr.flush()]);
  return status;
}

async function answerWithoutCommand(context: Context, words: readonly string[]): Promise<number | undefined> {
  const [first = "--help"] = words;
  if (first === "--version" || first === "-V") {
    const version = packageVersion();
    await (context.isJson ? printJson(context, { version }) : context.stdout.print(`cloche ${version}`));
    return exitStatus.success;
  }
  if (first === "--help" || first === "-h") {
    const text = overallHelp(await loadAllCommands(), context.style);
    await (words.length > 0 ? context.stdout : context.stderr).print(text);
    return words.length > 0 ? exitStatus.success : exitStatus.usage;
  }
  if (first.startsWith("-"))
    throw new ClocheError("usage", `${first} stands where a command should`, {
      hint: "Usage: cloche COMMAND [OPTIONS]",
    });
  return undefined;
}

async function explainGroup(context: Context, group: string, words: readonly string[]): Promise<number> {
  const text = groupHelp(group, await loadGroup(group), context.style);
  const isAsked = hasCommonFlag(words, ["--help", "-h"]);
  await (isAsked ? context.stdout : context.stderr).print(text);
  return isAsked ? exitStatus.success : exitStatus.usage;
}

async function complete(context: Context, [kind = ""]: readonly string[]): Promise<number> {
  const { candidates } = await import("./candidates.ts");
  const found = await candidates(kind).catch(() => []);
  if (found.length > 0) await context.stdout.print(found.join("\n"));
  return exitStatus.success;
}

async function showError(context: Context, error: unknown): Promise<void> {
  if (context.isJson) return printJson(context, errorDocument(error));
  await context.stderr.print(reportError(error, styleFor(process.stderr, context.environment)));
}
