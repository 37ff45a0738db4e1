// The name by which portals and the permission store know one instance.

/** `dev.cloche.foot` and `dev.cloche.foot._40work`: what D-Bus does not allow in a name is written as `_` and two hex digits, so no two are alike. */
export function portalAppId(instanceId: string): string {
  const [app = "", instance] = instanceId.split("@");
  const words = instance === undefined ? [app] : [app, `@${instance}`];
  return ["dev", "cloche", ...words.map(escapeWord)].join(".");
}

/** A letter comes first, as in all names. */
function escapeWord(word: string): string {
  const escaped = [...Buffer.from(word)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, "0")}`;
  });
  const text = escaped.join("");
  return /^[0-9-]/.test(text) ? `_${text.charCodeAt(0).toString(16)}${text.slice(1)}` : text;
}
