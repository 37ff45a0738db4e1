// Runs mmdebstrap as planned, tells what it is at, and returns the packages that went in.
import { ClocheError } from "../errors.ts";
import type { Step } from "../progress.ts";
import {
  type BootstrapPlan,
  bootstrapEnvironment,
  type Package,
  parsePackageLine,
  planBootstrap,
} from "./bootstrap.ts";
import { hostMirror } from "./mirror.ts";
import { requireSpace } from "./space.ts";
import { type Store, storeDirectory } from "./store.ts";
import { runTool } from "./tool.ts";
import { withSharedWorkDirectory, withWorkDirectory } from "./work-directory.ts";

export interface BootstrapRequest extends Omit<BootstrapPlan, "as" | "mirror" | "cache"> {
  /** What cannot be had when it fails: "the runtime". */
  readonly what: string;
  readonly step: Step;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that it takes on disk while it is built. */
  readonly needsBytes: number;
}

/** Parts of mmdebstrap's own messages, what they mean to a user, and how far the work is then. */
const stages: readonly (readonly [message: string, detail: string, fraction: number])[] = [
  ["running apt-get update", "reading the package lists", 0.05],
  ["downloading packages", "downloading packages", 0.15],
  ["extracting archives", "unpacking", 0.4],
  ["installing essential packages", "installing the base", 0.5],
  ["installing remaining packages", "installing packages", 0.65],
  ["cleaning package lists", "tidying", 0.9],
  ["creating tarball", "archiving", 0.93],
];

/** Writes `request.target`. Throws `build-failed`, `disk-full`, `missing-program`, `interrupted`. */
export async function bootstrap(store: Store, request: BootstrapRequest): Promise<Package[]> {
  const cache = await storeDirectory(store, "apt");
  const as = process.geteuid?.() === 0 ? "root" : "user";
  const argv = planBootstrap({ ...request, as, cache, mirror: await hostMirror() });
  const isShared = as === "user" && request.kind === "install";
  const packages: Package[] = [];
  await requireSpace(store.own, request.needsBytes);

  const run = async (temporary: string) => {
    await requireSpace(temporary, request.needsBytes);
    await runTool({
      argv,
      failure: `${request.what} cannot be made from Debian's packages`,
      // As root it mounts /proc and others in the root that it makes; killed, it would leave them behind.
      ownMounts: as === "root",
      writesTo: isShared ? `${request.target} or ${temporary}` : request.target,
      environment: { ...bootstrapEnvironment, TMPDIR: temporary },
      signal: request.signal,
      hintFor,
      onLine(line) {
        const found = parsePackageLine(line);
        if (found) packages.push(found);
        const [, detail, fraction] = stages.find(([message]) => line.includes(message)) ?? [];
        if (detail !== undefined) request.step.update(detail, fraction);
        return found || line.startsWith("I: ") ? "taken" : undefined;
      },
    });
  };
  if (isShared) await withSharedWorkDirectory(run);
  else await withWorkDirectory(store, run);
  if (packages.length === 0) throw new ClocheError("build-failed", `${request.what}: no package was taken`);
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const remedies: readonly (readonly [said: RegExp, hint: string])[] = [
  [/NO_PUBKEY|not signed|keyring/i, "Update the package debian-archive-keyring."],
  [
    /Could not resolve|Could not connect|Temporary failure|Connection (failed|timed out)/i,
    "Check the network, or name a Debian archive in CLOCHE_DEBIAN_MIRROR.",
  ],
  [/no longer has a Release file|does not have a Release file/i, "Name a Debian archive in CLOCHE_DEBIAN_MIRROR."],
  [
    /Unable to locate package|has no installation candidate/i,
    "Check the names of the packages in the application's manifest.",
  ],
  [
    /subuid|subgid|newuidmap|unshare/i,
    "Give your user subordinate ids: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER.",
  ],
];

const hintFor = (lines: readonly string[]): string | undefined =>
  remedies.find(([said]) => lines.some((line) => said.test(line)))?.[1];
