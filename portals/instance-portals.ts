// The portals of one instance: a connection of its own to the user's session bus, its tree of documents, and the broker.
import type { Server } from "node:net";
import { ClocheError, messageOf } from "../src/errors.ts";
import type { JailHost } from "../src/jail/bwrap.ts";
import { listenForGuest } from "../src/link/hybrid-vsock.ts";
import { linkPort } from "../src/link/protocol.ts";
import { portalAppId } from "./app-id.ts";
import { Broker } from "./broker.ts";
import { Bus } from "./bus.ts";
import { Consents } from "./consent.ts";
import { Documents } from "./documents.ts";
import { followDenials } from "./follow-denials.ts";
import { findHostPipeWire } from "./host-pipewire.ts";
import { HostPortal } from "./host-portal.ts";
import { InUseNotice } from "./in-use.ts";
import { Ledger } from "./ledger.ts";
import { Bucket } from "./limits.ts";
import { Media } from "./media.ts";
import type { Permission } from "./portal.ts";
import { registerAs } from "./registry.ts";
import { enterScope } from "./scope.ts";
import { type SharedDirectory, SharedFiles } from "./shared-files.ts";

/** Windows that an instance may have exported at a time. */
const maxWindows = 1024;

export interface Surroundings {
  readonly shares: readonly SharedDirectory[];
  readonly hasNetwork: boolean;
  /** Whether the image has PipeWire, to show video with. */
  readonly hasPipeWire: boolean;
  readonly jail: JailHost;
  /** Hears what of the host's the instance looks at, whenever it changes. */
  readonly onUse: (inUse: readonly string[]) => void;
  readonly log: (message: string) => void;
}

export class InstancePortals implements AsyncDisposable {
  readonly #instance: string;
  readonly #appId: string;
  readonly #bus: Bus;
  readonly #host: HostPortal;
  readonly #documents: Documents | undefined;
  readonly #ledger: Ledger;
  readonly #windows = new Set<string>();
  #media: Media | undefined;
  #server: Server | undefined;
  #following: AsyncDisposable | undefined;
  #broker: Broker | undefined;
  #serving: Promise<void> | undefined;
  #close = () => {};

  private constructor(instance: string, appId: string, bus: Bus, host: HostPortal, documents: Documents | undefined) {
    this.#instance = instance;
    this.#appId = appId;
    this.#bus = bus;
    this.#host = host;
    this.#documents = documents;
    this.#ledger = new Ledger(instance);
  }

  /** Connects to the session bus at `address`. Throws `unsupported` where there is none. */
  static async open(instance: string, address = process.env.DBUS_SESSION_BUS_ADDRESS): Promise<InstancePortals> {
    const appId = portalAppId(instance);
    const bus = await Bus.connect(address);
    try {
      await enterScope(bus, appId);
      // Before all else: a portal takes an application's name from its connection's first call, or from the scope at that time.
      await registerAs(bus, appId);
      const [host, documents] = await Promise.all([HostPortal.open(bus), Documents.open(bus, appId)]);
      return new InstancePortals(instance, appId, bus, host, documents);
    } catch (error) {
      bus[Symbol.dispose]();
      throw error;
    }
  }

  /** The tree of the instance's documents on the host, where the host has a document portal. */
  get documentsDirectory(): string | undefined {
    return this.#documents?.directory;
  }

  /** A line of the lens: the compositor's name of a window of this instance, when it begins and when it ends. */
  hearLens(line: string): void {
    const [, what, name = ""] = /^(exported|withdrawn) (\S{1,256})$/.exec(line) ?? [];
    if (what === "exported" && this.#windows.size < maxWindows) this.#windows.add(name);
    else if (what === "withdrawn") this.#windows.delete(name);
  }

  /** Takes the guest's one connection at the link's socket. */
  async listen(socketPath: string, surroundings: Surroundings): Promise<void> {
    const { shares, hasNetwork, hasPipeWire, jail, log, onUse } = surroundings;
    const fail = (error: unknown) => log(`what is taken back: ${messageOf(error)}`);
    const pipewire = hasPipeWire ? await findHostPipeWire() : undefined;
    if (pipewire !== undefined) {
      this.#media = new Media(socketPath, pipewire, jail, log);
      const stop = () => void this.#broker?.withdraw(new Set<Permission>(["camera", "screen-cast"])).catch(fail);
      const notice = await InUseNotice.open(this.#host, this.#instance, stop);
      this.#media.onUse = (inUse) => {
        onUse(inUse);
        notice.tell(inUse);
      };
    }
    const heed = (denied: ReadonlySet<Permission>) => void this.#broker?.withdraw(denied).catch(fail);
    this.#following = await followDenials(this.#instance, heed, fail);
    this.#server = await listenForGuest(socketPath, linkPort.portals, (socket) => {
      if (this.#serving !== undefined) return void socket.destroy();
      this.#close = () => void socket.destroy();
      const broker = new Broker(socket, {
        instance: this.#instance,
        bus: this.#bus,
        host: this.#host,
        consents: Consents.onDesktop(this.#bus, this.#instance, this.#appId),
        ledger: this.#ledger,
        shared: new SharedFiles(shares),
        documents: this.#documents,
        exportedWindows: this.#windows,
        media: this.#media,
        hasNetwork,
        bucket: new Bucket(),
        log,
      });
      this.#broker = broker;
      this.#serving = broker.serve().then((reason) => log(`ended: ${messageOf(reason)}`));
    });
    void this.#bus.closed.then((reason) => this.#serving && log(messageOf(reason)));
  }

  /** Closes what the guest has left open on the host, and takes its documents back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.close();
    await this.#following?.[Symbol.asyncDispose]();
    this.#close();
    await this.#serving;
    this.#media?.[Symbol.dispose]();
    await this.#documents?.revokeAll().catch(() => {});
    await this.#ledger.flush();
    await this.#host[Symbol.asyncDispose]();
    this.#bus[Symbol.dispose]();
  }
}

/** Why an instance has no portals, in words; undefined where `error` is something else. */
export const whyNoPortals = (error: unknown): string | undefined =>
  error instanceof ClocheError && error.code === "unsupported" ? error.message : undefined;
