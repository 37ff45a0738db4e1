// Plans mmdebstrap: which packages of which archive become a directory, or the tar archive of a root. Pure.
import { debianRelease, type Mirror, sourceLines } from "./mirror.ts";
import { imageTime } from "./recipe.ts";

export interface BootstrapPlan {
  /** `extract` unpacks and runs nothing of the packages; `install` configures them in a chroot. */
  readonly kind: "extract" | "install";
  /** `user` needs no privilege for `extract`, and subordinate ids for `install`. */
  readonly as: "root" | "user";
  readonly packages: readonly string[];
  readonly mirror: Mirror;
  readonly backports: boolean;
  /** apt_preferences(5). */
  readonly preferences?: string;
  readonly dpkgOptions?: readonly string[];
  /** Shell text that is run with the root as "$1" after the packages are in it. */
  readonly customize?: string;
  /** Shell patterns below the root, removed last. */
  readonly remove: readonly string[];
  /** Directory of .deb files kept between builds. */
  readonly cache: string;
  /** The directory, or the file ending in .tar, that is written. */
  readonly target: string;
}

/** Lines on standard error that tell the packages which went in. */
const packageLine = /^cloche-package (\S+) (\S+)$/;

export interface Package {
  readonly name: string;
  readonly version: string;
}

export function planBootstrap(plan: BootstrapPlan): string[] {
  const mode = plan.kind === "extract" ? "chrootless" : plan.as === "root" ? "root" : "unshare";
  // mmdebstrap runs no later hook where it only extracts.
  const last = plan.kind === "extract" ? "extract" : "customize";
  const hook = (stage: string, text: string | undefined) => (text ? [`--${stage}-hook=${text}`] : []);
  return [
    "mmdebstrap",
    `--variant=${plan.kind === "extract" ? "extract" : "essential"}`,
    `--mode=${mode}`,
    `--format=${plan.target.endsWith(".tar") ? "tar" : "directory"}`,
    `--include=${plan.packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    ...["force-unsafe-io", ...(plan.dpkgOptions ?? [])].map((option) => `--dpkgopt=${option}`),
    "--skip=essential/unlink",
    // Its cleaning expects the files that the list of removals has.
    ...(plan.kind === "extract" ? ["--skip=cleanup"] : []),
    ...hook("setup", `mkdir -p "$1/var/cache/apt/archives"`),
    ...hook("setup", mode === "unshare" ? `sync-in ${quote(plan.cache)} /var/cache/apt/archives` : linkIn(plan.cache)),
    ...hook("setup", plan.preferences && writeText("etc/apt/preferences.d/cloche", plan.preferences)),
    ...hook("setup", plan.backports && plan.mirror.archive === undefined ? addBackports : undefined),
    ...hook(last, plan.kind === "extract" ? listExtracted : listInstalled),
    ...hook(last, mode === "unshare" ? `sync-out /var/cache/apt/archives ${quote(plan.cache)}` : linkOut(plan.cache)),
    // With the packages came the owner and the mode of the directory that they are kept in.
    ...hook(last, mode === "unshare" ? `chown 0:0 "$1/var/cache/apt/archives"` : undefined),
    ...hook(last, plan.customize),
    ...hook(last, removal(plan.remove)),
    debianRelease,
    plan.target,
    ...sourceLines(plan.mirror, plan.backports),
  ];
}

export const bootstrapEnvironment = { SOURCE_DATE_EPOCH: String(imageTime) };

export function parsePackageLine(line: string): Package | undefined {
  const [, name, version] = packageLine.exec(line) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

// A link costs nothing where both are on one file system; elsewhere the packages are fetched once more.
const linkIn = (cache: string) => `cp -l ${quote(cache)}/*.deb "$1/var/cache/apt/archives" 2>/dev/null || true`;
const linkOut = (cache: string) =>
  `cp -ln "$1"/var/cache/apt/archives/*.deb ${quote(cache)} 2>/dev/null ||` +
  ` cp -n "$1"/var/cache/apt/archives/*.deb ${quote(cache)} 2>/dev/null || true`;

const writeText = (path: string, text: string) =>
  `mkdir -p "$(dirname "$1/${path}")"; cat > "$1/${path}" <<'CLOCHE'\n${text.trimEnd()}\nCLOCHE\n`;

const addBackports =
  `sed -n 's/ ${debianRelease} main/ ${debianRelease}-backports main/p' "$1"/etc/apt/sources.list` +
  ` > "$1"/etc/apt/sources.list.d/backports.list`;

const listExtracted =
  "for deb in $MMDEBSTRAP_ESSENTIAL; do" +
  ` dpkg-deb --show --showformat='cloche-package \${Package} \${Version}\\n' "$1/$deb" >&2; done`;
const listInstalled = `dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat='cloche-package \${Package} \${Version}\\n' >&2`;

function removal(patterns: readonly string[]): string | undefined {
  for (const pattern of patterns) {
    if (!/^[\w*][\w*.,+/-]*$/.test(pattern) || pattern.includes(".."))
      throw new RangeError(`not a path to remove: ${pattern}`);
  }
  return patterns.length === 0 ? undefined : `cd "$1" && rm -rf ${patterns.join(" ")}`;
}
