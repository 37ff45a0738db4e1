// cloche help: what --help shows.
import { defineCommand } from "../model.ts";

export const help = defineCommand({
  name: "help",
  summary: "Show what Cloche or a command does",
  arguments: [
    {
      name: "COMMAND",
      help: "a command, such as run or image build",
      complete: "command",
      isOptional: true,
      isList: true,
    },
  ],
  options: {},
  json: "text",
  examples: [{ line: "cloche help image build", text: "the same as cloche image build --help" }],
  async run(context, { arguments: words }) {
    const { loadAllCommands, loadCommand, loadGroup } = await import("../commands.ts");
    const { printJson } = await import("../context.ts");
    const { commandHelp, groupHelp, overallHelp } = await import("../help.ts");
    const { resolveCommand } = await import("../resolve.ts");
    const resolution = words.length > 0 ? resolveCommand(words) : undefined;
    const text =
      resolution === undefined
        ? overallHelp(await loadAllCommands(), context.style)
        : resolution.kind === "group"
          ? groupHelp(resolution.name, await loadGroup(resolution.name), context.style)
          : commandHelp(await loadCommand(resolution.name), context.style);
    await (context.isJson ? printJson(context, { text }) : context.stdout.print(text));
    return 0;
  },
});
