// The desktop's own yes-or-no dialog, from whichever portal back end has one.
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bus, BusError, Variant } from "./bus.ts";

const accessInterface = "org.freedesktop.impl.portal.Access";
const dialogPath = "/org/freedesktop/portal/desktop";

/** How long a yes lasts. */
export type Lifetime = "once" | "running" | "always";

export interface Question {
  readonly title: string;
  readonly body: string;
  /** By which the desktop knows the instance. */
  readonly appId: string;
}

/** `undefined`: there is no dialog to ask with. */
export type Verdict = { readonly isYes: boolean; readonly lifetime: Lifetime } | undefined;

/** Asks the user. Aborted, the dialog goes, and the answer is no. */
export async function askUser(bus: Bus, question: Question, signal: AbortSignal): Promise<Verdict> {
  for (const destination of await findBackends()) {
    try {
      return await ask(bus, destination, question, signal);
    } catch (error) {
      // One that is installed and cannot be started, or does not have it after all.
      if (!(error instanceof BusError)) throw error;
    }
  }
  return undefined;
}

async function ask(bus: Bus, destination: string, { title, body, appId }: Question, signal: AbortSignal) {
  const handle = `${dialogPath}/request/cloche/${randomBytes(12).toString("hex")}`;
  const lifetimes = [
    ["once", "This time"],
    ["running", "While it runs"],
    ["always", "Until it is revoked"],
  ];
  const options = {
    modal: new Variant("b", true),
    grant_label: new Variant("s", "Allow"),
    deny_label: new Variant("s", "Deny"),
    choices: new Variant("a(ssa(ss)s)", [["lifetime", "Allow it", lifetimes, "once"]]),
  };
  const close = () =>
    void bus
      .call({ destination, path: handle, interface: "org.freedesktop.impl.portal.Request", member: "Close" })
      .catch(() => {});
  signal.addEventListener("abort", close, { once: true });
  try {
    const [code, results] = await bus.call({
      destination,
      path: dialogPath,
      interface: accessInterface,
      member: "AccessDialog",
      signature: "osssssa{sv}",
      body: [handle, appId, "", title, "", body, options],
    });
    const { choices } = (results ?? {}) as Record<string, Variant | undefined>;
    const chosen = (choices?.value as [string, string][] | undefined)?.find(([name]) => name === "lifetime")?.[1];
    const lifetime: Lifetime = chosen === "running" || chosen === "always" ? chosen : "once";
    return { isYes: code === 0, lifetime };
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** Bus names of back ends with such a dialog, those for this desktop first: as portals.conf(5) of older portals has it. */
async function findBackends(): Promise<string[]> {
  const own = process.env.XDG_DESKTOP_PORTAL_DIR;
  const data = (process.env.XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(":");
  const directories = own ? [own] : data.map((directory) => join(directory, "xdg-desktop-portal", "portals"));
  const files = await Promise.all(directories.map(listPortals));
  const desktops = (process.env.XDG_CURRENT_DESKTOP ?? "").toLowerCase().split(":");
  const backends = files
    .flat()
    .filter(({ interfaces, name }) => name !== "" && interfaces.includes(accessInterface))
    .map(({ name, useIn }) => ({ name, isMeant: useIn.some((desktop) => desktops.includes(desktop.toLowerCase())) }));
  return backends.toSorted((one, other) => Number(other.isMeant) - Number(one.isMeant)).map(({ name }) => name);
}

async function listPortals(directory: string) {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith(".portal")).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8").catch(() => "")));
  return texts.map((text) => {
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "";
    const words = (key: string) => value(key).split(";").filter(Boolean);
    return { name: value("DBusName"), interfaces: words("Interfaces"), useIn: words("UseIn") };
  });
}
