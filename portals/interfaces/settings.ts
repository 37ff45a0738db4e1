// org.freedesktop.portal.Settings: colours, fonts and the like. Read from the host once, and kept.
import { BusError, Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import type { HostPortal } from "../host-portal.ts";
import type { Portal } from "../portal.ts";
import { list, text } from "../readers.ts";

const name = text(255);
const notFound = "org.freedesktop.portal.Error.NotFound";

/** What an application may know: how things are to look. Other settings of the desktop are the user's own. */
const namespaces = ["org.freedesktop.appearance", "org.gnome.desktop.interface", "org.gnome.desktop.wm.preferences"];

type All = Record<string, Record<string, Variant>>;

const caches = new WeakMap<HostPortal, Promise<All>>();

/** All settings, kept up to date by the host's signal, until the portal is another one. */
function readAll({ host, interface: own }: CallContext): Promise<All> {
  const known = caches.get(host);
  if (known) return known;
  const forget = () => caches.delete(host);
  const reading = host.call(own, "ReadAll", "as", [namespaces]).then(([all]) => onlyKnown(all as All));
  caches.set(host, reading);
  reading.catch(forget);
  host.once("change", forget);
  return reading;
}

/** What the host says has changed is so in what is kept, too. */
function noteChange(host: HostPortal, [namespace, key, value]: readonly unknown[]): boolean {
  if (!isKnown(String(namespace))) return false;
  void caches.get(host)?.then((all) => {
    all[String(namespace)] = { ...all[String(namespace)], [String(key)]: value as Variant };
  });
  return true;
}

/** Back ends have been seen that answer with more than what was asked for. */
const onlyKnown = (all: All): All =>
  Object.fromEntries(Object.entries(all).filter(([namespace]) => isKnown(namespace)));

const isKnown = (namespace: string): boolean => namespaces.includes(namespace);

async function readOne(context: CallContext, namespace: unknown, key: unknown): Promise<Variant> {
  const all = await readAll(context);
  const value = all[String(namespace)]?.[String(key)];
  if (value === undefined) throw new BusError(notFound, "Requested setting not found");
  return value;
}

export const settings: Portal = {
  name: "org.freedesktop.portal.Settings",
  object: "desktop",
  version: 2,
  permission: "settings",
  consent: "free",
  wants: "know how your desktop looks",
  methods: {
    ReadAll: {
      kind: "call",
      args: [list(name, 64)],
      returns: "a{sa{sv}}",
      async run(context, [wanted]) {
        const patterns = wanted as string[];
        const all = Object.entries(await readAll(context));
        return [Object.fromEntries(all.filter(([namespace]) => matches(namespace, patterns)))];
      },
    },
    Read: {
      kind: "call",
      args: [name, name],
      returns: "v",
      // A variant in a variant: the mistake for which ReadOne was made.
      run: async (context, [namespace, key]) => [new Variant("v", await readOne(context, namespace, key))],
    },
    ReadOne: {
      kind: "call",
      args: [name, name],
      returns: "v",
      since: 2,
      run: async (context, [namespace, key]) => [await readOne(context, namespace, key)],
    },
  },
  signals: { SettingChanged: { signature: "ssv", accept: noteChange } },
};

/** Empty for all; a name with `*` at its end for all that begin with it. */
const matches = (namespace: string, patterns: readonly string[]): boolean =>
  patterns.length === 0 ||
  patterns.some(
    (pattern) =>
      pattern === "" || pattern === namespace || (pattern.endsWith("*") && namespace.startsWith(pattern.slice(0, -1))),
  );
