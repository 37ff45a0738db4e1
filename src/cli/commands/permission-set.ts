// cloche permission set: allows or denies for good.
import { defineCommand } from "../model.ts";

export const permissionSet = defineCommand({
  name: "permission set",
  summary: "Allow or deny an instance something until it is revoked",
  description: ["It counts from the next request on, also of an instance that runs."],
  arguments: [
    { name: "INSTANCE", help: "APP or APP@INSTANCE", complete: "app" },
    { name: "NAME=SETTING", help: "a permission, and allow, deny or ask", isList: true },
  ],
  options: {},
  json: "an object: allow, deny or ask by permission, as it is then",
  examples: [
    { line: "cloche permission set firefox-esr notification=allow", text: "without asking from now on" },
    { line: "cloche permission set firefox-esr screenshot=deny", text: "refused without a dialog" },
  ],
  async run(context, { arguments: [name = "", ...settings] }) {
    const { setPermissions } = await import("../permission-commands.ts");
    return setPermissions(context, name, settings);
  },
});
