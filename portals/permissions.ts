// What the user has allowed and denied an instance for good: one file an instance, the user's own.
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ClocheError } from "../src/errors.ts";
import { dataDirectory } from "../src/paths.ts";
import { schemaCheck } from "../src/schema.ts";
import type { Permission } from "./portal.ts";

export type Setting = "allow" | "deny";
export type Settings = Readonly<Partial<Record<Permission, Setting>>>;

/** Every permission, and what it is about, in words for the user. */
export const permissions: Readonly<Record<Permission, string>> = {
  account: "the user's name and picture",
  camera: "the camera",
  documents: "files that are handed to it again",
  email: "a new message in the user's mail program",
  "file-chooser": "files and folders that the user picks",
  "file-transfer": "files that are pasted and dropped",
  "global-shortcuts": "key combinations while another window has the focus",
  inhibit: "keeping the computer awake",
  "network-status": "whether there is a network, and its proxy",
  notification: "notifications",
  "open-uri": "links and files opened outside",
  "screen-cast": "what the user picks of the screen, as it changes",
  screenshot: "pictures of the screen",
  secret: "a secret of its own to encrypt with",
  settings: "colours, fonts and the like",
  "system-status": "whether memory or power runs short",
  trash: "its documents moved to the trash",
};

export const isPermission = (name: string): name is Permission => Object.hasOwn(permissions, name);

const check = schemaCheck<Settings>({
  type: "object",
  additionalProperties: { enum: ["allow", "deny"] },
  propertyNames: { enum: Object.keys(permissions) },
});

/** Where it is kept. */
export const settingsPath = (id: string): string => join(dataDirectory(), "permissions", `${id}.json`);

/** None are set where there is no file. Throws `state` where it cannot be read: then nothing is allowed. */
export async function readSettings(id: string): Promise<Settings> {
  const path = settingsPath(id);
  try {
    const settings: unknown = JSON.parse(await readFile(path, "utf8"));
    if (check.isValid(settings)) return settings;
    throw new TypeError(check.error?.message);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return {};
    throw new ClocheError("state", `the permissions in ${path} cannot be read`, {
      cause,
      hint: `Mend the file, or begin anew: cloche permission reset ${id}`,
    });
  }
}

/** `undefined` is the default again: to be asked. Throws `state`. */
export async function changeSetting(id: string, name: Permission, setting: Setting | undefined): Promise<void> {
  const { [name]: _, ...others } = await readSettings(id);
  await writeSettings(id, setting === undefined ? others : { ...others, [name]: setting });
}

/** Forgets all that is set. */
export const resetSettings = (id: string): Promise<void> => rm(settingsPath(id), { force: true });

async function writeSettings(id: string, settings: Settings): Promise<void> {
  const path = settingsPath(id);
  const whole = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(whole, `${JSON.stringify(settings, undefined, 2)}\n`, { mode: 0o600 });
    await rename(whole, path);
  } catch (cause) {
    await rm(whole, { force: true }).catch(() => {});
    throw new ClocheError("state", `the permissions cannot be written to ${path}`, { cause });
  }
}
