// cloche completion: the script that completes command lines in a shell.
import { defineCommand } from "../model.ts";

const shells = ["bash", "zsh", "fish"];

export const completion = defineCommand({
  name: "completion",
  summary: "Print the script that completes command lines",
  arguments: [{ name: "SHELL", help: "bash, zsh or fish", choices: shells }],
  options: {},
  json: "shell and script",
  examples: [
    { line: "cloche completion bash > ~/.local/share/bash-completion/completions/cloche", text: "for bash" },
    { line: "cloche completion zsh > ~/.zfunc/_cloche", text: "for zsh, with ~/.zfunc in fpath" },
    { line: "cloche completion fish > ~/.config/fish/completions/cloche.fish", text: "for fish" },
  ],
  async run(context, { arguments: [shell = ""] }) {
    const { loadAllCommands } = await import("../commands.ts");
    const { printJson } = await import("../context.ts");
    const script = await generate(shell, await loadAllCommands());
    await (context.isJson ? printJson(context, { shell, script }) : context.stdout.write(script));
    return 0;
  },
});

async function generate(shell: string, commands: Parameters<typeof import("../completion/bash.ts").bashCompletion>[0]) {
  if (shell === "zsh") return (await import("../completion/zsh.ts")).zshCompletion(commands);
  if (shell === "fish") return (await import("../completion/fish.ts")).fishCompletion(commands);
  return (await import("../completion/bash.ts")).bashCompletion(commands);
}
