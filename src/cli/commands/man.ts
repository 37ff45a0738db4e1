// cloche man: the manual page.
import { defineCommand } from "../model.ts";

export const man = defineCommand({
  name: "man",
  summary: "Print the manual page, in roff",
  arguments: [],
  options: {},
  json: "page",
  examples: [
    { line: "cloche man | man -l -", text: "read it" },
    { line: "cloche man > ~/.local/share/man/man1/cloche.1", text: "have it found by man" },
  ],
  async run(context) {
    const { loadAllCommands } = await import("../commands.ts");
    const { printJson } = await import("../context.ts");
    const { manualPage } = await import("../man.ts");
    const { packageVersion } = await import("../version.ts");
    const page = manualPage(await loadAllCommands(), packageVersion());
    await (context.isJson ? printJson(context, { page }) : context.stdout.write(page));
    return 0;
  },
});
