// cloche kill: the end at once.
import { defineCommand, flag } from "../model.ts";

export const kill = defineCommand({
  name: "kill",
  summary: "End instances at once",
  arguments: [{ name: "INSTANCE", help: "running instances", complete: "instance", isList: true, isOptional: true }],
  options: { all: flag("end all that run") },
  json: "an array: instance, stopped, error",
  examples: [{ line: "cloche kill --all", text: "end everything now" }],
  async run(context, { options, arguments: names }) {
    const { endInstances } = await import("../end-instances.ts");
    return endInstances(context, { names, all: options.all, graceMs: 0 });
  },
});
