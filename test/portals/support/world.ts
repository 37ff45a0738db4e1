// A host with its portals, and a guest's session bus with our front end: everything but the machine between them.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { BrokerHost } from "../../../portals/broker.ts";
import { Bus, type BusDict, Variant } from "../../../portals/bus.ts";
import { Consents } from "../../../portals/consent.ts";
import { Documents } from "../../../portals/documents.ts";
import { followDenials } from "../../../portals/follow-denials.ts";
import { findHostPipeWire } from "../../../portals/host-pipewire.ts";
import { HostPortal, portalName } from "../../../portals/host-portal.ts";
import { InUseNotice } from "../../../portals/in-use.ts";
import { Ledger } from "../../../portals/ledger.ts";
import { Bucket } from "../../../portals/limits.ts";
import { Media } from "../../../portals/media.ts";
import { SharedFiles } from "../../../portals/shared-files.ts";
import { findBwrap } from "../../../src/jail/bwrap.ts";
import { hostPortPath } from "../../../src/link/hybrid-vsock.ts";
import { linkPort } from "../../../src/link/protocol.ts";
import { nativeDirectory } from "../../../src/paths.ts";
import type { Backend } from "./backend.ts";
import { type Camera, startCamera } from "./cameras.ts";
import { startFront } from "./front.ts";
import { Program } from "./program.ts";
import { RawGuest } from "./raw-guest.ts";
import { startScriptedHost } from "./scripted-host.ts";
import { type Session, startSession } from "./session.ts";

export const instance = "app@test";
export const appId = "dev.cloche.app._40test";

export interface World extends AsyncDisposable {
  readonly host: Session;
  readonly backend: Backend;
  /** The broker's connection to the host's bus. */
  readonly bus: Bus;
  /** Throws where this machine has no FUSE. */
  readonly documents: Documents;
  /** Directories that the instance shares, by tag. */
  readonly shares: { readonly home: string };
  /** What the broker said in the log. */
  readonly said: string[];
  /** What the instance looked at, after each change. */
  readonly inUse: readonly (readonly string[])[];
  readonly guest: Session;
  /** Throws where the host has no video. */
  readonly camera: Camera;
  /** Kills the host's xdg-desktop-portal. */
  killPortal(): Promise<void>;
  /** A program in the guest. */
  startProgram(): Promise<Program>;
  /** What speaks to a broker of its own in the guest's place. */
  startRawGuest(bucket?: Bucket): Promise<RawGuest>;
}

/** The user's directories of the whole process are the world's: one world at a time. */
export async function startWorld(
  facts: { hasNetwork?: boolean; bucket?: Bucket; hasVideo?: boolean; isStill?: boolean } = {},
): Promise<World> {
  await using cleanup = new AsyncDisposableStack();
  const { session: host, backend } = cleanup.use(await startScriptedHost());
  process.env.XDG_DATA_HOME = join(host.directory, "data");
  process.env.XDG_STATE_HOME = join(host.directory, "state");
  process.env.XDG_DESKTOP_PORTAL_DIR = host.environment.XDG_DESKTOP_PORTAL_DIR ?? "";
  const guest = cleanup.use(await startSession(guestEnvironment));
  const camera = facts.hasVideo ? cleanup.use(await startCamera(host, facts)) : undefined;
  const bus = cleanup.use(await Bus.connect(host.address));
  const portal = cleanup.use(await HostPortal.open(bus));
  const documents = await Documents.open(bus, appId);
  const home = join(host.directory, "shared-home");
  await mkdir(home);
  const shares = [
    { tag: "home", directory: home, readOnly: false },
    ...(documents === undefined ? [] : [{ tag: "documents", directory: documents.directory, readOnly: false }]),
  ];
  const said: string[] = [];
  const inUse: string[][] = [];
  const link = join(host.directory, "link");
  const media = facts.hasVideo ? cleanup.use(await startMedia(link, said)) : undefined;
  const ledger = new Ledger(instance);
  cleanup.defer(() => ledger.flush());
  const brokerHost: BrokerHost = {
    instance,
    bus,
    host: portal,
    consents: Consents.onDesktop(bus, instance, appId),
    ledger,
    shared: new SharedFiles(shares),
    documents,
    exportedWindows: new Set(["exported"]),
    media,
    hasNetwork: facts.hasNetwork ?? true,
    log: (message) => said.push(message),
    bucket: facts.bucket ?? new Bucket(1_000),
  };
  const { broker } = cleanup.use(
    await startFront(guest, brokerHost, { mediaSocket: hostPortPath(link, linkPort.media) }),
  );
  if (media) {
    const notice = await InUseNotice.open(portal, instance, () => void broker.withdraw(new Set(["camera"])));
    media.onUse = (names) => {
      inUse.push([...names]);
      notice.tell(names);
    };
  }
  cleanup.use(
    await followDenials(
      instance,
      (denied) => void broker.withdraw(denied),
      (error) => said.push(String(error)),
    ),
  );
  const resources = cleanup.move();
  return {
    host,
    backend,
    bus,
    get documents() {
      if (documents === undefined) throw new Error("the document portal does not start");
      return documents;
    },
    shares: { home },
    said,
    inUse,
    guest,
    get camera() {
      if (camera === undefined) throw new Error("this world has no camera");
      return camera;
    },
    async killPortal() {
      const at = {
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
      };
      const asked = { ...at, member: "GetConnectionUnixProcessID", signature: "s", body: [portalName] };
      process.kill(Number((await bus.call(asked))[0]), "SIGKILL");
    },
    startProgram: () => Program.start(guest.address),
    startRawGuest: (bucket) => RawGuest.start({ ...brokerHost, ...(bucket && { bucket }) }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** PipeWire in the guest finds our module where it was built. */
const guestEnvironment = async () => ({
  PIPEWIRE_MODULE_DIR: `/usr/lib/x86_64-linux-gnu/pipewire-0.3:${nativeDirectory()}`,
});

async function startMedia(link: string, said: string[]): Promise<Media> {
  const [bwrap, pipewire] = await Promise.all([findBwrap(), findHostPipeWire()]);
  if (pipewire === undefined) throw new Error("the host has no PipeWire");
  // What captures runs on the host's own programs.
  const jail = { bwrap, runtimeRoot: "/nonexistent", nativeDirectory: nativeDirectory() };
  return new Media(link, pipewire, jail, (message) => said.push(message));
}

/** An answer of the back end that grants: `results` are variants by name. */
export const granted = (results: BusDict = {}) => [0, results] as const;
export const denied = [1, {}] as const;

/** The consent dialog answered with yes, for so long. */
export const yes = (lifetime: "once" | "running" | "always") =>
  granted({ choices: new Variant("a(ss)", [["lifetime", lifetime]]) });
