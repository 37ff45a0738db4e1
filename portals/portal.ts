// What an interface is to the broker: its members, what they may say, and whose word it takes.
import type { BusDict } from "./bus.ts";
import type { CallContext } from "./call-context.ts";
import type { HostPortal } from "./host-portal.ts";
import { parentWindow, type Reader, session } from "./readers.ts";

/** The names by which a user allows and denies. */
export type Permission =
  | "account"
  | "camera"
  | "documents"
  | "email"
  | "file-chooser"
  | "file-transfer"
  | "global-shortcuts"
  | "inhibit"
  | "network-status"
  | "notification"
  | "open-uri"
  | "screen-cast"
  | "screenshot"
  | "secret"
  | "settings"
  | "system-status"
  | "trash";

export interface Portal {
  /** Such as `org.freedesktop.portal.Settings`; the host's interface has the same name. */
  readonly name: string;
  readonly object: "desktop" | "documents";
  /** The latest version that this file knows; the guest is told the lower of it and the host's. */
  readonly version: number;
  readonly permission: Permission;
  /**
   * Who asks the user, where nothing is set. `free`: nobody, for it shows nothing of the user's and does nothing.
   * `dialog`: the host's own dialog is the question. `ask`: the broker asks first.
   */
  readonly consent: "free" | "dialog" | "ask";
  /** A reason for the dialog: "wants to …". */
  readonly wants: string;
  readonly methods: Readonly<Record<string, Method>>;
  /** Signals of the host that are handed on, by member. */
  readonly signals?: Readonly<Record<string, SignalRule>>;
  /** The broker's own: offered whatever the host has. */
  readonly isOwn?: true;
  /** Whether what it gives are documents: without a tree for them it is not offered. */
  readonly givesDocuments?: true;
  /** Whether what it gives is video: to a guest without PipeWire it is not offered. */
  readonly givesVideo?: true;
  /** Properties besides `version` that are handed on. */
  readonly properties?: readonly string[];
  /** Of properties that are sets of flags: those that are handed on. */
  readonly masks?: Readonly<Record<string, number>>;
}

/** An answer in place of results: the user has not allowed it. */
export class NotAllowed extends Error {}

export interface SignalRule {
  readonly signature: string;
  /** Whether this one is handed on; without, every one is. */
  accept?(host: HostPortal, body: readonly unknown[]): boolean;
}

export type Method = CallMethod | RequestMethod;

interface MethodFacts {
  readonly args: readonly Reader[];
  /** The version of the interface that brought it. */
  readonly since?: number;
  /** Whether a program could try until it hits: refusals count like requests that the user did not grant. */
  readonly isGuessable?: true;
  /** Where it differs from the portal's. */
  consent?(args: readonly unknown[]): Portal["consent"];
}

/** A method that returns its results. */
export interface CallMethod extends MethodFacts {
  readonly kind: "call";
  /** The signature of the results. */
  readonly returns: string;
  run(context: CallContext, args: readonly unknown[]): Promise<readonly unknown[]>;
}

/** A method that returns a request, whose response has the results. */
export interface RequestMethod extends MethodFacts {
  readonly kind: "request";
  run(context: CallContext, args: readonly unknown[]): Promise<Response>;
}

/** Code 0: done; 1: the user said no; 2: it ended otherwise. */
export interface Response {
  readonly code: number;
  readonly results: BusDict;
  /** The number of the session that it has begun. */
  readonly session?: number;
  /** Ends what goes on after the response, until the guest closes the request. */
  readonly end?: () => void;
}

export const cancelled: Response = { code: 1, results: {} };
export const failed: Response = { code: 2, results: {} };

const signatureOf = (args: readonly Reader[]): string => args.map(({ signature }) => signature).join("");

/** The signature of a method's arguments. */
export const argumentSignature = (method: Method): string => signatureOf(method.args);

/** A request that the host's portal has and answers: the same arguments, checked; of the results those that are known. */
export function forwardRequest(
  args: readonly Reader[],
  results: Readonly<Record<string, Reader>>,
  facts: Omit<MethodFacts, "args"> & {
    /** Changes what the user is asked, or what the guest is told. */
    before?(context: CallContext, args: unknown[]): Promise<void>;
    after?(context: CallContext, results: BusDict, options: BusDict): Promise<BusDict>;
  } = {},
): RequestMethod {
  const { before, after, ...rest } = facts;
  return {
    kind: "request",
    args,
    ...rest,
    async run(context, values) {
      const given = toHost(context, args, values);
      const options = given.at(-1) as BusDict;
      await before?.(context, given);
      const response = await context.requestFromHost(signatureOf(args), given);
      if (response.code !== 0) return { code: response.code, results: {} };
      const known = keepKnown(response.results, results);
      return { code: 0, results: after ? await after(context, known, options) : known };
    },
  };
}

/** A window is named to the host only where this instance has exported it, and a session only where it is its own. */
const toHost = (context: CallContext, args: readonly Reader[], values: readonly unknown[]): unknown[] =>
  values.map((value, index) => {
    if (args[index] === parentWindow) return context.hostWindow(String(value));
    return args[index] === session ? context.hostSession(value) : value;
  });

/** A request of the host's portal that begins a session; its options are the last of `args`. */
export function beginSession(args: readonly Reader[], facts: Omit<MethodFacts, "args"> = {}): RequestMethod {
  return {
    kind: "request",
    args,
    ...facts,
    run: (context, values) => context.beginOnHost(signatureOf(args), toHost(context, args, values)),
  };
}

/** Of results those that are known, and of their types. */
export function keepKnown(results: BusDict, known: Readonly<Record<string, Reader>>): BusDict {
  const kept = Object.entries(results).filter(([name, { signature }]) => known[name]?.signature === signature);
  return Object.fromEntries(kept);
}
