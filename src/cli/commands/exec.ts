// cloche exec: a command in a running instance.
import { choice, defineCommand, flag, list, value } from "../model.ts";
import { readGuestPath, readVariable } from "../values.ts";

export const exec = defineCommand({
  name: "exec",
  summary: "Run a command in a running instance",
  description: [
    "Standard input, output and error are the command's, signals are passed on, and its exit status is ours.",
  ],
  arguments: [{ name: "INSTANCE", help: "a running instance", complete: "instance" }],
  trailing: { name: "CMD ARGS…", help: "the command, run without a shell", isOptional: false },
  options: {
    tty: flag("give the command a terminal, with the size of ours", { short: "t" }),
    env: list("K=V", "set a variable of the command's environment", readVariable, { short: "e" }),
    workdir: value("DIR", "start in this directory of the guest (default: the user's home)", readGuestPath, {
      short: "w",
    }),
    user: choice("USER", ["user", "root"], "who the command runs as", { short: "u" }),
  },
  json: "code, signal, stdout and stderr of the command once it has ended (at most 8 MiB each)",
  examples: [
    { line: "cloche exec foot -- uname -a", text: "what kernel it has" },
    { line: "cloche exec -t -u root foot -- top", text: "a program with a terminal, as the guest's root" },
    { line: "tar c . | cloche exec foot -- tar x", text: "files through a pipe" },
  ],
  carriesStatus: true,
  async run(context, { options, arguments: [name = ""], trailing }) {
    const { execInInstance } = await import("../exec-in-instance.ts");
    return execInInstance(context, {
      name,
      argv: [...trailing],
      environment: Object.fromEntries(options.env),
      cwd: options.workdir ?? null,
      user: options.user,
      hasTerminal: options.tty,
    });
  },
});
