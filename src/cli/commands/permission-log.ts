// cloche permission log: what was asked, and what was answered.
import { defineCommand } from "../model.ts";

export const permissionLog = defineCommand({
  name: "permission log",
  summary: "Show what instances asked for and how it was answered",
  arguments: [{ name: "INSTANCE", help: "APP or APP@INSTANCE; all without", complete: "app", isOptional: true }],
  options: {},
  json: "an array: time, instance, permission, request, answer, by",
  examples: [{ line: "cloche permission log firefox-esr", text: "oldest first" }],
  async run(context, { arguments: [name] }) {
    const { showPermissionLog } = await import("../permission-commands.ts");
    return showPermissionLog(context, name);
  },
});
