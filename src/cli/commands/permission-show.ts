// cloche permission show: what an instance may do.
import { defineCommand } from "../model.ts";

export const permissionShow = defineCommand({
  name: "permission show",
  summary: "Show what an instance is allowed and denied",
  description: [
    "What is neither is asked: by the dialog of the host that the request opens anyway, or by one of its own.",
  ],
  arguments: [{ name: "INSTANCE", help: "APP or APP@INSTANCE", complete: "app" }],
  options: {},
  json: "an object: allow, deny or ask by permission",
  examples: [{ line: "cloche permission show foot@work", text: "each permission, what it is about and its setting" }],
  async run(context, { arguments: [name = ""] }) {
    const { showPermissions } = await import("../permission-commands.ts");
    return showPermissions(context, name);
  },
});
