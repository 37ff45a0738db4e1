// What the permission commands do.
import { readLedger } from "../../portals/ledger.ts";
import {
  changeSetting,
  isPermission,
  permissions,
  readSettings,
  resetSettings,
  type Setting,
} from "../../portals/permissions.ts";
import type { Permission } from "../../portals/portal.ts";
import { parseInstanceName } from "../app/instance-name.ts";
import { ClocheError } from "../errors.ts";
import { type Context, printJson } from "./context.ts";
import { exitStatus } from "./exit-status.ts";
import { renderTable } from "./table.ts";

export async function showPermissions(context: Context, text: string): Promise<number> {
  const settings = await readSettings(parseInstanceName(text).id);
  const names = Object.keys(permissions).filter(isPermission);
  if (context.isJson) {
    await printJson(context, Object.fromEntries(names.map((name) => [name, settings[name] ?? "ask"])));
    return exitStatus.success;
  }
  const heading = ["PERMISSION", "SETTING", "ABOUT"].map((word) => context.style("bold", word));
  const rows = names.map((name) => [name, settings[name] ?? "ask", permissions[name]]);
  await context.stdout.print(renderTable([heading, ...rows]));
  return exitStatus.success;
}

export async function setPermissions(context: Context, text: string, assignments: readonly string[]): Promise<number> {
  const { id } = parseInstanceName(text);
  // All of them are read before any is set.
  for (const [name, setting] of assignments.map(parseAssignment)) await changeSetting(id, name, setting);
  return showPermissions(context, text);
}

export async function forgetPermissions(context: Context, text: string): Promise<number> {
  await resetSettings(parseInstanceName(text).id);
  return showPermissions(context, text);
}

export async function showPermissionLog(context: Context, text: string | undefined): Promise<number> {
  const entries = await readLedger(text === undefined ? undefined : parseInstanceName(text).id);
  if (context.isJson) {
    await printJson(context, entries);
    return exitStatus.success;
  }
  const heading = ["TIME", "INSTANCE", "PERMISSION", "REQUEST", "ANSWER", "BY"];
  const rows = entries.map(({ time, instance, permission, request, answer, by }) => [
    time,
    instance,
    permission,
    request,
    answer,
    by,
  ]);
  await context.stdout.print(renderTable([heading.map((word) => context.style("bold", word)), ...rows]));
  return exitStatus.success;
}

/** `undefined` for ask. Throws `usage`. */
function parseAssignment(text: string): [Permission, Setting | undefined] {
  const [, name = "", setting] = /^([a-z-]+)=(allow|deny|ask)$/.exec(text) ?? [];
  if (!isPermission(name)) {
    throw new ClocheError("usage", `${JSON.stringify(text.slice(0, 80))} is not PERMISSION=allow, =deny or =ask`, {
      hint: `The permissions: ${Object.keys(permissions).join(", ")}.`,
    });
  }
  return [name, setting === "allow" || setting === "deny" ? setting : undefined];
}
