// What one call of the guest may use of the host.
import * as fdpass from "../native/fdpass/index.ts";
import type { GuestFile } from "../src/link/protocol.ts";
import type { Bus } from "./bus.ts";
import type { Documents } from "./documents.ts";
import type { HostPortal } from "./host-portal.ts";
import type { Media, ShownVideo, Video } from "./media.ts";
import { failed, NotAllowed, type Portal, type Response } from "./portal.ts";
import { InvalidArgument } from "./readers.ts";
import type { Sessions } from "./sessions.ts";
import type { SharedFiles } from "./shared-files.ts";
import type { SessionNumber } from "./wire.ts";

/** The host's video, for this guest. */
export interface VideoContext extends Pick<Media, "share" | "allow" | "isAllowed"> {
  show(video: Video): Promise<ShownVideo>;
}

export interface CallContext {
  readonly interface: string;
  readonly object: Portal["object"];
  readonly member: string;
  /** The instance's name: `foot@work`. */
  readonly instance: string;
  readonly bus: Bus;
  readonly host: HostPortal;
  /** Undefined where the host has no document portal. */
  readonly documents: Documents | undefined;
  readonly shared: SharedFiles;
  /** What the message's file indices stand for. */
  readonly files: readonly GuestFile[];
  readonly hasNetwork: boolean;
  /** Aborted when the guest gives the call up. */
  readonly signal: AbortSignal;
  /** The same member of the host's portal. */
  callHost(signature: string, args: readonly unknown[]): Promise<unknown[]>;
  requestFromHost(
    signature: string,
    args: readonly unknown[],
    how?: { /** Where it is not the guest's own. */ member?: string; lasts?: boolean },
  ): Promise<Response>;
  /**
   * A descriptor for the host's own applications, the caller's to close: a document where it really lies, other files in their share.
   * Throws `InvalidArgument` for what the host cannot reach.
   */
  openForHost(file: GuestFile | undefined, access: "path" | "write"): Promise<number>;
  /** The same member of the host's portal, which begins a session with it. */
  beginOnHost(signature: string, args: readonly unknown[]): Promise<Response>;
  /** The host's name of a session that the guest names. Throws `InvalidArgument` where it has none of this interface. */
  hostSession(session: unknown): string;
  /** The call has become a request: from now on what goes wrong is its response. */
  accept(): void;
  /** Whether the user has allowed it once for all, so that nothing needs to be asked. */
  isAllowed(): Promise<boolean>;
  /** The host's name of a window that the guest names; empty where this instance has exported none of that name. */
  hostWindow(name: string): string;
  /** Undefined where the guest has no PipeWire. */
  readonly video: VideoContext | undefined;
  /** Keeps it open until the program has gone, or the user takes it back: the number of a session. */
  hold(video: ShownVideo): number;
  /** Keeps it open as long as a session, or ends it at once where there is no such session any more. */
  holdFor(session: SessionNumber, end: () => void): void;
  /** Whether anything is kept open for a session. */
  isHolding(session: SessionNumber): boolean;
  /** Gives bytes to a program's own descriptor. */
  write(fileIndex: number, bytes: Buffer): void;
}

export type CallFacts = Pick<
  CallContext,
  | "interface"
  | "object"
  | "member"
  | "instance"
  | "bus"
  | "host"
  | "documents"
  | "shared"
  | "files"
  | "hasNetwork"
  | "signal"
  | "accept"
  | "isAllowed"
  | "video"
  | "write"
> & {
  readonly exportedWindows: ReadonlySet<string>;
  readonly sessions: Sessions;
  /** Ends one that there is no reason for any more, and tells the guest. */
  readonly endSession: (session: number) => void;
};

export function createCallContext({ exportedWindows, sessions, ...facts }: CallFacts): CallContext {
  const { host, signal, member, accept } = facts;
  const orEnd = <T>(end: () => void, keep: () => T): T => {
    try {
      if (signal.aborted) throw new NotAllowed("it is not wanted any more");
      return keep();
    } catch (error) {
      end();
      throw error;
    }
  };
  return {
    ...facts,
    callHost: (types, args) => host.call(facts.interface, member, types, args, facts.object),
    requestFromHost: async (types, args, how = {}) =>
      (await host.request(facts.interface, how.member ?? member, types, args, { signal, accept, ...how })) ?? failed,
    async openForHost(file, access) {
      // The share's own rights count first: a document may be there for reading only.
      const inShare = facts.shared.open(file, access === "path" ? "path" : "open");
      if (file?.type !== "shared" || file.tag !== "documents") return inShare;
      fdpass.close(inShare);
      const real = await facts.documents?.openReal(file.path, access);
      if (real === undefined) throw new InvalidArgument("the instance has no such document");
      return real;
    },
    async beginOnHost(types, args) {
      sessions.checkRoom();
      const begun = await host.beginSession(facts.interface, member, types, args, { signal, accept });
      if (begun === undefined) return failed;
      const { path, ...response } = begun;
      return response.code === 0 ? { ...response, session: sessions.add(facts.interface, path) } : response;
    },
    hostSession: (session) => sessions.pathOf(facts.interface, session),
    // Opening takes its time: the program may have gone by now, or the user taken it back.
    hold({ close, ended }) {
      const number = orEnd(close, () => sessions.hold(facts.interface, close));
      void ended.then(() => facts.endSession(number));
      return number;
    },
    holdFor: (session, end) => orEnd(end, () => sessions.holdFor(facts.interface, session, end)),
    isHolding: (session) => sessions.isHolding(session),
    hostWindow(name) {
      const [, handle] = /^wayland:(.+)$/.exec(name) ?? [];
      return handle !== undefined && exportedWindows.has(handle) ? name : "";
    },
  };
}
