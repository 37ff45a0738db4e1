// cloche inspect: all that is known of one running instance.
import { printJson } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defineCommand } from "../model.ts";

export const inspect = defineCommand({
  name: "inspect",
  summary: "Show all that is known of a running instance",
  arguments: [{ name: "INSTANCE", help: "a running instance", complete: "instance" }],
  options: {},
  json: "the instance's state",
  examples: [{ line: "cloche inspect foot@work", text: "its monitor, shares, network, processes and timings" }],
  async run(context, { arguments: [id = ""] }) {
    const { parseInstanceName } = await import("../../app/instance-name.ts");
    const { requireState } = await import("../../instance/state.ts");
    const { describeInstance } = await import("../describe-instance.ts");
    const state = await requireState(parseInstanceName(id).id);
    await (context.isJson
      ? printJson(context, state)
      : context.stdout.print(describeInstance(state, Date.now(), context.style)));
    return exitStatus.success;
  },
});
