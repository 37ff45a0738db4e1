// cloche run: an application in a microVM of its own.
import { choice, defineCommand, flag, list, value } from "../model.ts";
import { readInteger, readMemory, readText, readVariable } from "../values.ts";

const options = {
  temp: flag("give it a home that ends with it"),
  vmm: choice("MONITOR", ["auto", "cloud-hypervisor", "crosvm", "qemu"], "the virtual machine monitor"),
  "crosvm-disable-sandbox": flag("run crosvm's devices unconfined in one process; the start says what that means"),
  share: list("DIR[:ro]", "show it a directory, at /mnt/NAME; :ro lets it only read", readText, {
    complete: "directory",
  }),
  net: choice("NETWORK", ["none", "internet"], "the network that it gets"),
  cpus: value("CPUS", "number of CPUs", readInteger(1, 64), { short: "c" }),
  memory: value("MEMORY", "memory: 512, 512M or 2G", readMemory, { short: "m" }),
  env: list("K=V", "set a variable of the application's environment", readVariable, { short: "e" }),
  clipboard: choice("DIRECTION", ["none", "guest-to-host", "host-to-guest", "both"], "what the clipboard carries"),
  "no-windows": flag("give it no display; the host then needs no desktop"),
  command: value("CMD", "run this program instead of the application's command", readText, { complete: "program" }),
  timing: flag("say where the time of the start went"),
  detach: flag("return once it runs; it outlives the terminal"),
};
export type RunOptions = typeof options;

export const run = defineCommand({
  name: "run",
  summary: "Run an application in a microVM of its own",
  description: [
    "Its windows show on the Wayland desktop, its output goes to ours, and its exit status is ours. Ctrl-C ends it in good order, a second one at once. Each instance keeps a home of its own under $XDG_DATA_HOME/cloche/homes.",
  ],
  arguments: [
    {
      name: "APP[@INSTANCE]",
      help: "an application of the catalogue, and a name for one more instance of it",
      complete: "app",
    },
  ],
  trailing: { name: "ARGS…", help: "added to the application's command", isOptional: true },
  options,
  json: "a line when it runs, and one with how it ended; the application's output goes to standard error",
  examples: [
    { line: "cloche run foot", text: "a terminal in a microVM" },
    { line: "cloche run firefox@bank --net internet", text: "a browser with a home of its own for one purpose" },
    { line: "cloche run foot --share ~/Documents:ro", text: "a directory that it can only read" },
    { line: "cloche run foot --no-windows --command uname -- -a", text: "one command, without a display" },
  ],
  carriesStatus: true,
  async run(context, parsed) {
    const { readRunRequest, runApp } = await import("../run-app.ts");
    const { runDetached } = await import("../detach.ts");
    return parsed.options.detach ? runDetached(context, parsed.argv) : runApp(context, readRunRequest(parsed));
  },
});
