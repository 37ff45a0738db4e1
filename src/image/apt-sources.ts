// Reads the two formats of apt's source lists (sources.list(5)): one line each, and deb822 paragraphs.

/** One suite of one archive. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Absolute path of the keyring that signs it. */
  readonly signedBy?: string;
}

/** `deb [options] uri suite component…` lines. What does not parse is skipped: apt itself reports it. */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/i.exec(options)?.[1];
    return [{ uri, suite, components: words(components), ...(signedBy !== undefined && { signedBy }) }];
  });
}

/** deb822 paragraphs; a key that is embedded in one is not carried over. */
export function parseDeb822Sources(text: string): AptSource[] {
  const paragraphs = text.replaceAll(/^#.*\n?/gm, "").split(/\n[ \t]*\n/);
  return paragraphs.flatMap((paragraph) => {
    const fields = parseFields(paragraph);
    if (!words(fields.get("types")).includes("deb") || /^(no|false|0|off)$/i.test(fields.get("enabled") ?? ""))
      return [];
    const signedBy = words(fields.get("signed-by")).find((word) => word.startsWith("/"));
    const components = words(fields.get("components"));
    return words(fields.get("uris")).flatMap((uri) =>
      words(fields.get("suites")).map((suite) => ({
        uri,
        suite,
        components,
        ...(signedBy !== undefined && { signedBy }),
      })),
    );
  });
}

function parseFields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = "";
  for (const line of paragraph.split("\n")) {
    const match = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
    if (match) {
      current = (match[1] ?? "").toLowerCase();
      fields.set(current, match[2] ?? "");
    } else if (/^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""} ${line.trim()}`);
    }
  }
  return fields;
}

const words = (text: string | undefined): string[] => (text ?? "").split(/\s+/).filter((word) => word !== "");
