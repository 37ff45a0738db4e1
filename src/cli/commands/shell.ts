// cloche shell: a login shell in a running instance.
import { ClocheError } from "../../errors.ts";
import { choice, defineCommand } from "../model.ts";

export const shell = defineCommand({
  name: "shell",
  summary: "Open a shell in a running instance",
  arguments: [{ name: "INSTANCE", help: "a running instance", complete: "instance" }],
  options: { user: choice("USER", ["user", "root"], "who the shell runs as", { short: "u" }) },
  json: "nothing but errors: the terminal is the shell's",
  examples: [{ line: "cloche shell foot@work", text: "look around inside" }],
  carriesStatus: true,
  async run(context, { options, arguments: [name = ""] }) {
    if (!process.stdin.isTTY)
      throw new ClocheError("unsupported", "a shell needs a terminal on standard input", {
        hint: `Without one: cloche exec ${name} -- bash -c COMMANDS, or bash -s to read them from standard input.`,
      });
    const { execInInstance } = await import("../exec-in-instance.ts");
    return execInInstance(
      { ...context, isJson: false },
      { name, argv: ["/bin/bash", "-l"], environment: {}, cwd: null, user: options.user, hasTerminal: true },
    );
  },
});
