// cloche permission reset: everything is asked again.
import { defineCommand } from "../model.ts";

export const permissionReset = defineCommand({
  name: "permission reset",
  summary: "Forget what an instance is allowed and denied",
  arguments: [{ name: "INSTANCE", help: "APP or APP@INSTANCE", complete: "app" }],
  options: {},
  json: "an object: ask by permission",
  examples: [{ line: "cloche permission reset foot", text: "everything is asked again" }],
  async run(context, { arguments: [name = ""] }) {
    const { forgetPermissions } = await import("../permission-commands.ts");
    return forgetPermissions(context, name);
  },
});
