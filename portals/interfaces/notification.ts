// org.freedesktop.portal.Notification: said in the instance's name, and without anything that a desktop could read as markup.
import { type BusDict, Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import { isOwnNotification } from "../in-use.ts";
import type { CallMethod, Portal } from "../portal.ts";
import { InvalidArgument, list, matching, oneOf, options, plainVariant, type Reader, text } from "../readers.ts";

const plainId = matching(/^[^\p{Cc}]+$/u, 255);
const maxIconBytes = 128 * 1024;
const action = text(255);
/** Not one of our own. */
const givenId: Reader = {
  signature: "s",
  read(value) {
    const id = String(plainId.read(value));
    if (isOwnNotification(id)) throw new InvalidArgument("a name that an application cannot use");
    return id;
  },
};

const button = {
  signature: "a{sv}",
  read: options({ label: text(255), action, target: inVariant() }).read,
};

const known = options({
  title: text(1024),
  body: text(8192),
  priority: oneOf("low", "normal", "high", "urgent"),
  icon: { signature: "(sv)", read: readIcon },
  "default-action": action,
  "default-action-target": inVariant(),
  buttons: list(button, 8),
});

export const notification: Portal = {
  name: "org.freedesktop.portal.Notification",
  object: "desktop",
  version: 1,
  permission: "notification",
  consent: "ask",
  wants: "show notifications",
  methods: {
    AddNotification: {
      kind: "call",
      args: [givenId, known],
      returns: "",
      async run(context, [id, given]) {
        await context.callHost("sa{sv}", [id, inTheNameOf(context, given as BusDict)]);
        return [];
      },
    },
    RemoveNotification: remove(),
  },
  signals: { ActionInvoked: { signature: "ssav", accept: (_host, [id]) => !isOwnNotification(String(id)) } },
};

function remove(): CallMethod {
  return {
    kind: "call",
    args: [givenId],
    returns: "",
    consent: () => "free",
    run: async (context, [id]) => [...(await context.callHost("s", [id]))],
  };
}

function inTheNameOf({ instance }: CallContext, given: BusDict): BusDict {
  const { title, body, icon, ...rest } = given;
  return {
    ...rest,
    ...(icon?.value && { icon }),
    title: new Variant("s", `[${instance}] ${withoutMarkup(String(title?.value ?? ""))}`),
    ...(body && { body: new Variant("s", withoutMarkup(String(body.value))) }),
  };
}

/** Some desktops read a body as markup: what could begin a tag or an entity is shown by a sign that cannot. */
export function withoutMarkup(words: string): string {
  const marks: Record<string, string> = { "<": "\u2039", ">": "\u203a" };
  return words.replaceAll(/[<>]/g, (mark) => marks[mark] ?? mark).replaceAll(/&(?=[#\w]+;)/g, "&\u200b");
}

/** A variant that stands in an option of its own. */
function inVariant(): Reader {
  return { signature: "v", read: plainVariant.read };
}

/** A serialized GIcon: names of the theme, or a picture. A path means nothing to the host: undefined. */
function readIcon(value: unknown): unknown {
  const [kind, { signature, value: content }] = value as [string, Variant];
  if (kind === "themed" && signature === "as") {
    const names = list(matching(/^[A-Za-z0-9._-]+$/, 255), 16).read(content);
    return [kind, new Variant("as", names)];
  }
  if (kind === "file" && signature === "s") return undefined;
  if (kind !== "bytes" || signature !== "ay")
    throw new InvalidArgument("an icon is a name of the theme, or a picture's bytes");
  const picture = content as Buffer;
  if (picture.length > maxIconBytes || !isPicture(picture))
    throw new InvalidArgument(`an icon is a PNG or JPEG of at most ${maxIconBytes} bytes`);
  return [kind, new Variant("ay", picture)];
}

const isPicture = (bytes: Buffer): boolean =>
  bytes.subarray(0, 8).equals(Buffer.from("89504e470d0a1a0a", "hex")) ||
  bytes.subarray(0, 3).equals(Buffer.from("ffd8ff", "hex"));
