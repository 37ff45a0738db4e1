// Where Debian packages come from: the host's own apt sources, or CLOCHE_DEBIAN_MIRROR, or what mmdebstrap takes by itself.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AptSource, parseDeb822Sources, parseOneLineSources } from "./apt-sources.ts";

/** The release that the runtime and the images are made of, whatever the host's is. */
export const debianRelease = "trixie";

export interface Mirror {
  /** `[signed-by=…] uri` of the archive; undefined leaves the choice to mmdebstrap. */
  readonly archive?: string;
  readonly security?: string;
}

const releases = ["bookworm", "trixie", "forky", "duke", "sid", "oldstable", "stable", "testing", "unstable"];
const isArchive = (suite: string) => releases.includes(suite.replace(/-(updates|backports)$/, ""));
const isSecurity = (suite: string) =>
  releases.includes(suite.replace(/-security$|\/updates$/, "")) && !releases.includes(suite);

/** `override`: the value of CLOCHE_DEBIAN_MIRROR, a URI and after a blank perhaps that of the security archive. */
export function chooseMirror(sources: readonly AptSource[], override?: string): Mirror {
  const [archive, security] = (override ?? "").split(/\s+/).filter((word) => word !== "");
  if (archive !== undefined) return { archive, ...(security !== undefined && { security }) };
  const usable = sources.filter(({ uri, components }) => !uri.startsWith("cdrom:") && components.includes("main"));
  const first = (accepts: (suite: string) => boolean) => {
    const source = usable.find(({ suite }) => accepts(suite));
    if (!source) return undefined;
    return source.signedBy === undefined ? source.uri : `[signed-by=${source.signedBy}] ${source.uri}`;
  };
  const hostArchive = first(isArchive);
  const hostSecurity = first(isSecurity);
  if (hostArchive === undefined) return {};
  return { archive: hostArchive, ...(hostSecurity !== undefined && { security: hostSecurity }) };
}

/** The lines of a sources.list for the release; none where mmdebstrap is to choose. */
export function sourceLines(mirror: Mirror, backports: boolean): string[] {
  const { archive, security } = mirror;
  if (archive === undefined) return [];
  return [
    `deb ${archive} ${debianRelease} main`,
    `deb ${archive} ${debianRelease}-updates main`,
    ...(security === undefined ? [] : [`deb ${security} ${debianRelease}-security main`]),
    ...(backports ? [`deb ${archive} ${debianRelease}-backports main`] : []),
  ];
}

/** Reads /etc/apt (or `directory`). A host without apt sources has none. */
export async function readAptSources(directory = "/etc/apt"): Promise<AptSource[]> {
  const read = (file: string) => readFile(join(directory, file), "utf8").catch(() => "");
  const names = (await readdir(join(directory, "sources.list.d")).catch(() => [])).sort();
  const parts = await Promise.all(
    names.map(async (name) => {
      const text = name.endsWith(".list") || name.endsWith(".sources") ? await read(join("sources.list.d", name)) : "";
      return name.endsWith(".sources") ? parseDeb822Sources(text) : parseOneLineSources(text);
    }),
  );
  return [...parseOneLineSources(await read("sources.list")), ...parts.flat()];
}

export async function hostMirror(): Promise<Mirror> {
  return chooseMirror(await readAptSources(), process.env.CLOCHE_DEBIAN_MIRROR);
}
