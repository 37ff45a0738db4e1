// cloche stop: the orderly end.
import { defineCommand, flag, value } from "../model.ts";
import { readSeconds } from "../values.ts";

const defaultGraceMs = 5_000;

export const stop = defineCommand({
  name: "stop",
  summary: "End instances in good order",
  arguments: [{ name: "INSTANCE", help: "running instances", complete: "instance", isList: true, isOptional: true }],
  options: {
    time: value("SECONDS", "what they get to end by themselves (default: 5)", readSeconds),
    all: flag("end all that run"),
  },
  json: "an array: instance, stopped, error",
  examples: [{ line: "cloche stop foot@work --time 30", text: "half a minute to end by itself" }],
  async run(context, { options, arguments: names }) {
    const { endInstances } = await import("../end-instances.ts");
    return endInstances(context, { names, all: options.all, graceMs: options.time ?? defaultGraceMs });
  },
});
