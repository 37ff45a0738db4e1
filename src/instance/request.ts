// What a launch is asked for, and what of the host it needs before anything starts.

import { guestDocuments } from "../../portals/documents.ts";
import { InstancePortals, whyNoPortals } from "../../portals/instance-portals.ts";
import type { InstanceName } from "../app/instance-name.ts";
import type { Manifest } from "../app/manifest.ts";
import { findCompositor } from "../display/compositor.ts";
import type { ClipboardPolicy } from "../display/lens.ts";
import { checkMountPoints, homeShare, parseShare } from "../files/share.ts";
import { ensureImage } from "../image/build.ts";
import type { Image } from "../image/images.ts";
import { ensureRuntime } from "../image/runtime.ts";
import { openStore } from "../image/store.ts";
import { findBwrap, type JailHost } from "../jail/bwrap.ts";
import { nativeDirectory } from "../paths.ts";
import type { Progress } from "../progress.ts";
import type { HostFacts } from "../vmm/contract.ts";
import type { MachineSpec, NetworkPolicy, Share } from "../vmm/machine-spec.ts";
import { probeHost } from "../vmm/probe.ts";
import { type Selection, selectMonitor } from "../vmm/select.ts";
import type { DisplayRequest } from "./plan.ts";

export interface LaunchRequest {
  readonly name: InstanceName;
  readonly manifest: Manifest;
  /** Whether the home ends with the instance. */
  readonly isTemporary: boolean;
  /** `auto` or a monitor's name. */
  readonly monitor: string;
  /** `DIR[:ro]` as typed. */
  readonly shares: readonly string[];
  readonly network: NetworkPolicy;
  readonly cpus: number | undefined;
  readonly memoryMib: number | undefined;
  /** Whether it gets a display; without one the host needs no desktop. */
  readonly hasWindows: boolean;
  readonly clipboard: ClipboardPolicy;
  /** crosvm only. */
  readonly withoutCrosvmSandbox?: boolean;
}

export interface Prepared {
  readonly spec: MachineSpec;
  readonly display: DisplayRequest | undefined;
  /** The digest of the image, for `inspect`. */
  readonly imageDigest: string;
  /** Whether the image has a PipeWire of its own, for the video of the host. */
  readonly hasPipeWire: boolean;
  readonly jail: JailHost;
  readonly facts: HostFacts;
  readonly selection: Selection;
  /** Or why there are none. The launch's to dispose of. */
  readonly portals: InstancePortals | string;
}

/** Finds or builds all that the launch needs. Throws before anything of the instance exists. */
export async function prepareLaunch(
  request: LaunchRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<Prepared> {
  await using cleanup = new AsyncDisposableStack();
  const [bwrap, facts, display, shares, portals] = await Promise.all([
    findBwrap(),
    probeHost(request.monitor),
    request.hasWindows
      ? findCompositor().then((compositor) => ({ compositor, clipboard: request.clipboard }))
      : undefined,
    collectShares(request),
    openPortals(request.name.id, cleanup),
  ]);
  const selection = selectMonitor(request, facts);
  const context = { store: await openStore(), progress, signal };
  const runtime = await ensureRuntime(context);
  const image = await ensureImage({ name: request.manifest.id, packages: [...request.manifest.packages] }, context);
  const documents = typeof portals === "string" ? undefined : portals.documentsDirectory;
  const spec = makeSpec(request, image, documents === undefined ? shares : [...shares, documentsShare(documents)]);
  cleanup.move();
  return {
    spec,
    display,
    imageDigest: image.digest,
    hasPipeWire: ["pipewire", "wireplumber"].every((wanted) =>
      image.document.packages.some(({ name }) => name.split(":")[0] === wanted),
    ),
    jail: { bwrap, runtimeRoot: runtime.root, nativeDirectory: nativeDirectory() },
    facts,
    selection,
    portals,
  };
}

/** The portals of the user's session, or why there are none: an instance runs without. */
async function openPortals(id: string, cleanup: AsyncDisposableStack): Promise<InstancePortals | string> {
  try {
    return cleanup.use(await InstancePortals.open(id));
  } catch (error) {
    const reason = whyNoPortals(error);
    if (reason === undefined) throw error;
    return reason;
  }
}

const documentsShare = (directory: string): Share => ({
  tag: "documents",
  directory,
  readOnly: false,
  mountPoint: guestDocuments,
});

async function collectShares(request: LaunchRequest): Promise<Share[]> {
  // A temporary home is the guest's own memory: there is nothing to leave behind.
  const home = request.isTemporary ? [] : [await homeShare(request.name.id)];
  const shares = [...home, ...(await Promise.all(request.shares.map(parseShare)))];
  checkMountPoints(shares);
  return shares;
}

function makeSpec(request: LaunchRequest, image: Image, shares: readonly Share[]): MachineSpec {
  return Object.freeze({
    id: request.name.id,
    cpus: request.cpus ?? request.manifest.cpus,
    memoryMib: request.memoryMib ?? request.manifest.memoryMib,
    kernel: image.kernel,
    initrd: image.initrd,
    root: image.root,
    shares,
    network: request.network,
    ...(request.withoutCrosvmSandbox && { withoutCrosvmSandbox: true }),
  });
}
