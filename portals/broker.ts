// The broker of one instance: what the guest's front end asks, checked, decided, and done on the host's own portals.
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ClocheError, messageOf } from "../src/errors.ts";
import { readFrames } from "../src/link/frame.ts";
import { encodeMessage, parsePortals } from "../src/link/message.ts";
import { frameKind, type Interface, type PortalsFromGuest, type PortalsToGuest } from "../src/link/protocol.ts";
import { type Bus, type BusDict, BusError } from "./bus.ts";
import { createCallContext, type VideoContext } from "./call-context.ts";
import type { Consents } from "./consent.ts";
import type { Documents } from "./documents.ts";
import type { HostPortal } from "./host-portal.ts";
import { portals } from "./interfaces.ts";
import type { Answer, Ledger, LedgerEntry } from "./ledger.ts";
import { type Bucket, maxOpenRequests, maxWaitingCalls } from "./limits.ts";
import type { Media } from "./media.ts";
import { offerInterfaces } from "./offer.ts";
import {
  argumentSignature,
  cancelled,
  type Method,
  NotAllowed,
  type Permission,
  type Portal,
  type Response,
} from "./portal.ts";
import { InvalidArgument } from "./readers.ts";
import { Sessions } from "./sessions.ts";
import type { SharedFiles } from "./shared-files.ts";
import { dictToWire, fromWire, toWire, WireError } from "./wire.ts";

type Call = Extract<PortalsFromGuest, { type: "call" }>;

export interface BrokerHost {
  readonly instance: string;
  readonly bus: Bus;
  readonly host: HostPortal;
  readonly consents: Consents;
  readonly ledger: Ledger;
  readonly shared: SharedFiles;
  readonly documents: Documents | undefined;
  /** Undefined where the guest has no PipeWire. */
  readonly media: Media | undefined;
  readonly hasNetwork: boolean;
  /** Windows that the lens has exported for this instance. */
  readonly exportedWindows: ReadonlySet<string>;
  readonly log: (message: string) => void;
  /** How fast new requests may come. */
  readonly bucket: Bucket;
}

interface Waiting {
  readonly controller: AbortController;
  /** Undefined for what nobody knows. */
  readonly permission: Permission | undefined;
}

/** Whether and when a call has become a request, of which the guest is told once. */
interface Acceptance {
  readonly accept: () => void;
  readonly isDone: boolean;
  /** Milliseconds on the clock of `performance`. */
  readonly at: number;
}

/** Why the user's own word ended a call. */
const withdrawn = Symbol("withdrawn");

/** An answer in place of results. */
class Refusal extends Error {
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.errorName = errorName;
  }
}

const propertiesInterface = "org.freedesktop.DBus.Properties";

const busError = (name: string, text: string) => new Refusal(`org.freedesktop.DBus.Error.${name}`, text);
const portalError = (name: string, text: string) => new Refusal(`org.freedesktop.portal.Error.${name}`, text);

const tooMany = () => busError("LimitsExceeded", "too many requests wait for the user, or come too fast");

export class Broker {
  readonly #socket: Socket;
  readonly #host: BrokerHost;
  readonly #waiting = new Map<number, Waiting>();
  #openRequests = 0;
  #offered: readonly Interface[] = [];
  readonly #sessions: Sessions;
  readonly #over = new AbortController();

  constructor(socket: Socket, host: BrokerHost) {
    this.#socket = socket;
    this.#host = host;
    this.#sessions = new Sessions(host.host);
    socket.on("error", () => {});
  }

  /** Serves the connection to its end; resolves with the reason. Nothing that it asked of the host is left open. */
  async serve(): Promise<ClocheError> {
    let reason = new ClocheError("agent-failed", "the guest's portals process closed its connection");
    const change = () => void this.offer().catch(() => this.#socket.destroy());
    const endSession = (path: string, details: BusDict) => setImmediate(() => this.#endSession(path, details));
    this.#host.host.on("change", change);
    this.#host.host.on("session-end", endSession);
    try {
      await this.#followSignals();
      await this.offer();
      for await (const frame of readFrames(this.#socket)) {
        if (frame.kind !== frameKind.json) throw new ClocheError("protocol", "the portals process sent bytes");
        this.#hear(parsePortals(frame.payload));
      }
    } catch (cause) {
      reason = cause instanceof ClocheError ? cause : new ClocheError("agent-failed", messageOf(cause), { cause });
    } finally {
      this.#host.host.off("change", change);
      this.#host.host.off("session-end", endSession);
      this.#sessions.closeAll();
      this.#over.abort();
      for (const { controller } of this.#waiting.values()) controller.abort();
      this.#socket.destroy();
    }
    return reason;
  }

  /** Ends what the user denies while it goes on: requests, what they left lasting, sessions and, of files, the documents. */
  async withdraw(denied: ReadonlySet<Permission>): Promise<void> {
    for (const { controller, permission } of this.#waiting.values())
      if (permission !== undefined && denied.has(permission)) controller.abort(withdrawn);
    for (const portal of portals.filter(({ permission }) => denied.has(permission)))
      for (const session of this.#sessions.closeOf(portal.name))
        this.#send({ type: "session-closed", session, details: {} });
    for (const permission of denied) this.#host.media?.forbid(permission);
    if (denied.has("file-chooser") || denied.has("documents")) await this.#host.documents?.revokeAll();
  }

  /** Tells the guest what there is now. */
  async offer(): Promise<void> {
    this.#offered = await offerInterfaces(this.#host.host, {
      documents: this.#host.documents !== undefined,
      video: this.#host.media !== undefined,
    });
    this.#send({ type: "offer", interfaces: [...this.#offered] });
  }

  async #followSignals(): Promise<void> {
    const signals = portals.flatMap((portal) =>
      Object.entries(portal.signals ?? {}).map(([member, { signature, accept }]) =>
        this.#host.host.onSignal(
          portal.name,
          member,
          (body) => {
            const isMeant = accept?.(this.#host.host, body) ?? true;
            if (!isMeant || !this.#isOffered(portal)) return;
            // The response that brings a session may have come with the same bytes: it goes first.
            if (signature.startsWith("o")) setImmediate(() => this.#handOn(portal, member, signature, body));
            else this.#handOn(portal, member, signature, body);
          },
          portal.object,
        ),
      ),
    );
    // Properties are part of the offer.
    const properties = this.#host.host.onSignal(propertiesInterface, "PropertiesChanged", ([name]) => {
      const isOurs = portals.some((portal) => portal.name === name && portal.properties !== undefined);
      if (isOurs) void this.offer().catch(() => this.#socket.destroy());
    });
    await Promise.all([...signals, properties]);
  }

  /** A signal about a session is the business of whose it is. */
  #handOn(portal: Portal, member: string, signature: string, given: readonly unknown[]): void {
    const session = signature.startsWith("o") ? this.#sessions.named(given[0]) : undefined;
    if (signature.startsWith("o") && session === undefined) return;
    const body = session === undefined ? given : [session, ...given.slice(1)];
    try {
      this.#send({ type: "signal", interface: portal.name, member, signature, body: toWire(signature, body) });
    } catch (error) {
      this.#host.log(`${portal.name}.${member}: ${messageOf(error)}`);
    }
  }

  #isOffered = (portal: Portal): boolean => this.#offered.some(({ name }) => name === portal.name);

  #endSession(path: string, details: BusDict): void {
    const session = this.#sessions.forget(path);
    if (session !== undefined) this.#send({ type: "session-closed", session, details: dictToWire(details) });
  }

  #hear(message: PortalsFromGuest): void {
    if (message.type === "call") this.#take(message);
    else if (message.type === "close") this.#waiting.get(message.id)?.controller.abort();
    else if (message.type === "close-session") this.#sessions.close(message.session);
    else this.#host.media?.fail(message.stream, message.message);
  }

  /** The host's video, announced to this guest. */
  get #video(): VideoContext | undefined {
    const { media } = this.#host;
    return (
      media && {
        allow: (what) => media.allow(what),
        isAllowed: (what) => media.isAllowed(what),
        share: (key, open) => media.share(key, open),
        show: (video) =>
          media.show(video, (stream, properties) =>
            this.#send({ type: "stream", stream, properties: { ...properties } }),
          ),
      }
    );
  }

  #take(call: Call): void {
    if (this.#waiting.has(call.id)) throw new ClocheError("protocol", "the portals process used a call's number twice");
    if (this.#waiting.size >= maxWaitingCalls) {
      this.#refuse(call.id, busError("LimitsExceeded", "too many calls wait for an answer"));
      return;
    }
    const controller = new AbortController();
    const permission = portals.find(({ name }) => name === call.interface)?.permission;
    this.#waiting.set(call.id, { controller, permission });
    void this.#answer(call, controller.signal)
      .catch((error) => this.#refuse(call.id, error))
      .finally(() => this.#waiting.delete(call.id));
  }

  async #answer(call: Call, signal: AbortSignal): Promise<void> {
    const { portal, method, args } = this.#check(call);
    const acceptance = this.#acceptance(call.id);
    const context = createCallContext({
      ...this.#host,
      sessions: this.#sessions,
      video: this.#video,
      endSession: (session) => {
        if (this.#sessions.close(session)) this.#send({ type: "session-closed", session, details: {} });
      },
      interface: call.interface,
      object: portal.object,
      member: call.member,
      files: call.files,
      signal,
      accept: acceptance.accept,
      isAllowed: () => this.#host.consents.isSet(portal.permission),
      write: (index, bytes) => this.#send({ type: "write", id: call.id, index, bytes: bytes.toString("base64") }),
    });
    const record = (answer: Answer, by: LedgerEntry["by"]) => {
      const request = `${call.interface.split(".").at(-1)}.${call.member}`;
      this.#host.ledger.record({ permission: portal.permission, request, answer, by });
    };
    const consentKind = method.consent?.(args) ?? portal.consent;
    if (method.kind === "request") {
      await this.#asRequest(call, portal, consentKind, acceptance, () => method.run(context, args), signal, record);
      return;
    }
    const consent = await this.#host.consents.decide(portal, consentKind, signal);
    if (consentKind !== "free" || !consent.isYes) record(consent.isYes ? "allowed" : "denied", consent.by);
    if (!consent.isYes) throw portalError("NotAllowed", `the user does not allow ${this.#host.instance} that`);
    if (method.isGuessable && !this.#host.bucket.take()) throw tooMany();
    const results = await method.run(context, args);
    if (method.isGuessable) this.#host.bucket.giveBack();
    this.#send({ type: "reply", id: call.id, signature: method.returns, body: toWire(method.returns, results) });
  }

  async #asRequest(
    call: Call,
    portal: Portal,
    consentKind: Portal["consent"],
    acceptance: Acceptance,
    run: () => Promise<Response>,
    signal: AbortSignal,
    record: (answer: Answer, by: LedgerEntry["by"]) => void,
  ): Promise<void> {
    if (this.#openRequests >= maxOpenRequests || !this.#host.bucket.take()) {
      record("refused", "bounds");
      throw tooMany();
    }
    this.#openRequests += 1;
    try {
      const consent = await this.#host.consents.decide(portal, consentKind, signal, acceptance.accept);
      const by = consent.by === "default" ? "dialog" : consent.by;
      const refuse = (error: unknown) => {
        record("failed", by);
        throw error;
      };
      const response = consent.isYes ? await this.#runSafely(call, acceptance, run).catch(refuse) : cancelled;
      acceptance.accept();
      record(consent.isYes ? answerOf(response, signal) : "denied", by);
      if (response.code === 0) this.#host.bucket.giveBack();
      await heard(acceptance, signal);
      if (signal.aborted) {
        if (response.session !== undefined) this.#sessions.close(response.session);
        if (signal.reason === withdrawn) this.#respond(call.id, cancelled);
        return response.end?.();
      }
      this.#respond(call.id, response);
      if (response.end === undefined) return;
      await aborted(signal);
      response.end();
    } finally {
      this.#openRequests -= 1;
    }
  }

  #acceptance(id: number): Acceptance {
    const acceptance = {
      isDone: false,
      at: 0,
      accept: () => {
        if (acceptance.isDone) return;
        this.#send({ type: "accept", id });
        acceptance.isDone = true;
        acceptance.at = performance.now();
      },
    };
    return acceptance;
  }

  #respond(id: number, { code, results, session, end }: Response): void {
    const facts = { code, results: dictToWire(results), session: session ?? null, lasts: end !== undefined };
    this.#send({ type: "response", id, ...facts });
  }

  /** A request that has been accepted can't be refused any more: what goes wrong is its response. */
  async #runSafely(call: Call, acceptance: Acceptance, run: () => Promise<Response>): Promise<Response> {
    try {
      return await run();
    } catch (error) {
      if (!acceptance.isDone) throw error;
      this.#host.log(`${call.interface}.${call.member}: ${messageOf(error)}`);
      return { code: 2, results: {} };
    }
  }

  #check(call: Call): { portal: Portal; method: Method; args: readonly unknown[] } {
    const offered = this.#offered.find(({ name }) => name === call.interface);
    const portal = portals.find(({ name }) => name === call.interface);
    if (offered === undefined || portal === undefined)
      throw busError("UnknownInterface", `${call.interface} is not offered`);
    const method = Object.hasOwn(portal.methods, call.member) ? portal.methods[call.member] : undefined;
    const { data: version } = (offered.properties.version ?? {}) as { data?: number };
    if (method === undefined || (method.since ?? 0) > (version ?? 0))
      throw busError("UnknownMethod", `${call.interface} has no method ${call.member}`);
    const signature = argumentSignature(method);
    if (call.signature !== signature)
      throw busError("InvalidArgs", `${call.member} takes (${signature}), not (${call.signature})`);
    const values = fromWire(signature, call.body);
    return { portal, method, args: method.args.map((reader, index) => reader.read(values[index])) };
  }

  #refuse(id: number, error: unknown): void {
    const refusal = asRefusal(error);
    this.#send({ type: "error", id, name: refusal.errorName, message: refusal.message.slice(0, 1000) });
  }

  #send(message: PortalsToGuest): void {
    if (this.#over.signal.aborted) return;
    // A guest that does not read has its connection closed before it costs more than this.
    if (this.#socket.writableLength > maxUnreadBytes) return void this.#socket.destroy();
    this.#socket.write(encodeMessage(message));
  }
}

/** Bytes that may wait for the guest to read them. */
const maxUnreadBytes = 4 * 1024 * 1024;

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof NotAllowed) return portalError("NotAllowed", error.message);
  if (error instanceof InvalidArgument) return portalError("InvalidArgument", error.message);
  if (error instanceof WireError) return busError("InvalidArgs", error.message);
  // The host's own refusal is the guest's too; names of other programs' errors are not its business.
  if (error instanceof BusError && /^org\.freedesktop\.(portal|DBus)\.Error\./.test(error.errorName))
    return new Refusal(error.errorName, error.message);
  return portalError("Failed", "the host could not do that");
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );

/** Qt listens for the response only once it has the request's handle: an answer that nobody had to think about comes no sooner than one would. */
const responsePauseMs = 200;
const heard = ({ at }: Acceptance, signal: AbortSignal): Promise<void> =>
  delay(Math.max(0, at + responsePauseMs - performance.now()), undefined, { signal }).catch(() => {});

const answerOf = (response: Response, signal: AbortSignal): Answer =>
  signal.aborted || response.code === 1 ? "cancelled" : response.code === 0 ? "allowed" : "failed";
