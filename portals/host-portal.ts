// The host's xdg-desktop-portal, as one client of it: versions, calls, requests with tokens of our own, and its end.
import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { type Bus, type BusDict, BusError, type BusSignal, Variant } from "./bus.ts";
import { documentsName, documentsPath } from "./documents.ts";
import type { Portal, Response } from "./portal.ts";

export const portalName = "org.freedesktop.portal.Desktop";
const portalPath = "/org/freedesktop/portal/desktop";
const requestInterface = "org.freedesktop.portal.Request";
const sessionInterface = "org.freedesktop.portal.Session";
const callTimeoutMs = 25_000;

/** Where an interface is, on the host as in the guest. */
const objects = {
  desktop: { destination: portalName, path: portalPath },
  documents: { destination: documentsName, path: documentsPath },
};
type Place = Portal["object"];

const newToken = (): string => `cloche${randomBytes(12).toString("hex")}`;

interface RequestHow {
  /** Closes the request. */
  readonly signal: AbortSignal;
  /** Called when the portal has taken it. */
  readonly accept: () => void;
  /** Whether it can be ended after its response: by the `end` in it. */
  readonly lasts?: boolean;
}

interface HostPortalEvents {
  /** Another portal has begun. */
  change: [];
  /** The host has ended a session, by its path. */
  "session-end": [path: string, details: BusDict];
}

export class HostPortal extends EventEmitter<HostPortalEvents> implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #requests = new Map<string, (response: Response | undefined) => void>();
  readonly #sessions = new Set<string>();
  readonly #cleanup = new AsyncDisposableStack();

  private constructor(bus: Bus) {
    super();
    this.#bus = bus;
  }

  /** Follows the portal on `bus`, which need not be there yet: the first call starts it. */
  static async open(bus: Bus): Promise<HostPortal> {
    const portal = new HostPortal(bus);
    const heard = { sender: portalName, interface: requestInterface, member: "Response" };
    portal.#cleanup.use(await bus.onSignal(heard, (signal) => portal.#hearResponse(signal)));
    const ended = { sender: portalName, interface: sessionInterface, member: "Closed" };
    portal.#cleanup.use(
      await bus.onSignal(ended, ({ path, body: [details] }) => portal.#endSession(path, (details ?? {}) as BusDict)),
    );
    const owner = { sender: "org.freedesktop.DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged" };
    portal.#cleanup.use(
      await bus.onSignal({ ...owner, arg0: portalName }, ({ body }) =>
        portal.#changeOwner(String(body[1]), String(body[2])),
      ),
    );
    return portal;
  }

  /** All properties of an interface, or undefined where the host does not have it. */
  async properties(interfaceName: string, object: Place = "desktop"): Promise<BusDict | undefined> {
    try {
      const [properties] = await this.#bus.call({
        ...objects[object],
        interface: "org.freedesktop.DBus.Properties",
        member: "GetAll",
        signature: "s",
        body: [interfaceName],
        timeoutMs: callTimeoutMs,
      });
      return properties as BusDict;
    } catch (error) {
      if (error instanceof BusError) return undefined;
      throw error;
    }
  }

  /** Throws `BusError`. */
  call(
    interfaceName: string,
    member: string,
    signature: string,
    body: readonly unknown[],
    object: Place = "desktop",
  ): Promise<unknown[]> {
    const what = { interface: interfaceName, member, signature, body, timeoutMs: callTimeoutMs };
    return this.#bus.call({ ...objects[object], ...what });
  }

  /**
   * Makes a request and waits for its response; `body` ends with the options.
   * Undefined where the portal ended, or `signal` aborted: the request is closed then. Throws `BusError` where it is refused.
   */
  async request(
    interfaceName: string,
    member: string,
    signature: string,
    body: readonly unknown[],
    { signal, accept, lasts = false }: RequestHow,
  ): Promise<Response | undefined> {
    const token = newToken();
    const expected = `${portalPath}/request/${this.#sender}/${token}`;
    const responded = Promise.withResolvers<Response | undefined>();
    this.#requests.set(expected, responded.resolve);
    const options = { ...(body.at(-1) as BusDict), handle_token: new Variant("s", token) };
    const close = () => {
      responded.resolve(undefined);
      void this.#bus
        .call({ destination: portalName, path: expected, interface: requestInterface, member: "Close" })
        .catch(() => {});
    };
    try {
      if (signal.aborted) return undefined;
      await this.call(interfaceName, member, signature, [...body.slice(0, -1), options]);
      accept();
      signal.addEventListener("abort", close, { once: true });
      if (signal.aborted) close();
      const response = await responded.promise;
      return lasts && response?.code === 0 ? { ...response, end: close } : response;
    } finally {
      signal.removeEventListener("abort", close);
      this.#requests.delete(expected);
    }
  }

  /**
   * A request that begins a session: its response, and the session's path, under which the host ends it and is told to.
   * Undefined as for `request`.
   */
  async beginSession(
    interfaceName: string,
    member: string,
    signature: string,
    body: readonly unknown[],
    how: RequestHow,
  ): Promise<(Response & { readonly path: string }) | undefined> {
    const token = newToken();
    const path = `${portalPath}/session/${this.#sender}/${token}`;
    const options = { ...(body.at(-1) as BusDict), session_handle_token: new Variant("s", token) };
    this.#sessions.add(path);
    let response: Response | undefined;
    try {
      response = await this.request(interfaceName, member, signature, [...body.slice(0, -1), options], how);
    } finally {
      // A session of which nobody will know must not stay.
      if (response?.code !== 0) this.closeSession(path);
    }
    return response && { code: response.code, results: {}, path };
  }

  closeSession(path: string): void {
    if (!this.#sessions.delete(path)) return;
    const close = { destination: portalName, path, interface: sessionInterface, member: "Close" };
    void this.#bus.call(close).catch(() => {});
  }

  #endSession(path: string, details: BusDict): void {
    if (this.#sessions.delete(path)) this.emit("session-end", path, details);
  }

  /** Hands on a signal of the host's portal. */
  async onSignal(
    interfaceName: string,
    member: string,
    listener: (body: readonly unknown[]) => void,
    object: Place = "desktop",
  ): Promise<void> {
    const { destination: sender, path } = objects[object];
    const match = { sender, path, interface: interfaceName, member };
    this.#cleanup.use(await this.#bus.onSignal(match, ({ body }) => listener(body)));
  }

  /** This connection, as paths have it. */
  get #sender(): string {
    return this.#bus.name.slice(1).replaceAll(".", "_");
  }

  #hearResponse({ path, body }: BusSignal): void {
    this.#requests.get(path)?.({ code: Number(body[0]), results: (body[1] ?? {}) as BusDict });
  }

  #changeOwner(before: string, after: string): void {
    // What the one that ended was asked, nobody answers any more.
    if (before !== "") {
      for (const resolve of this.#requests.values()) resolve(undefined);
      for (const path of [...this.#sessions]) this.#endSession(path, {});
    }
    if (after !== "") this.emit("change");
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const resolve of this.#requests.values()) resolve(undefined);
    return this.#cleanup.disposeAsync().catch(() => {});
  }
}
