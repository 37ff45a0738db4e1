// org.freedesktop.portal.ScreenCast: screens and windows that the user picks in the desktop's own dialog, as nodes of the guest's own PipeWire.
import { type BusDict, Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import type { ShownVideo } from "../media.ts";
import { beginSession, forwardRequest, keepKnown, NotAllowed, type Portal, type Response } from "../portal.ts";
import { boolean, flags, InvalidArgument, options, parentWindow, session, text, unsigned } from "../readers.ts";
import type { SessionNumber } from "../wire.ts";

/** Hidden, or drawn into the picture: what else a cursor may be does not go with the frames. */
const cursorModes = 1 | 2;
const sourceTypes = 1 | 2 | 4;
const maxStreams = 4;

const pair = { signature: "(ii)", read: (value: unknown) => value };
const facts = { position: pair, size: pair, source_type: unsigned(), id: text(255) };

export const screenCast: Portal = {
  name: "org.freedesktop.portal.ScreenCast",
  object: "desktop",
  version: 3,
  permission: "screen-cast",
  consent: "dialog",
  givesVideo: true,
  wants: "see your screen",
  properties: ["AvailableSourceTypes", "AvailableCursorModes"],
  masks: { AvailableSourceTypes: sourceTypes, AvailableCursorModes: cursorModes },
  methods: {
    // Nothing is seen by it.
    CreateSession: beginSession([options({})], { consent: () => "free" }),
    SelectSources: forwardRequest(
      [session, options({ types: flags(sourceTypes), multiple: boolean, cursor_mode: flags(cursorModes) })],
      {},
      { consent: () => "free" },
    ),
    Start: {
      kind: "request",
      args: [session, parentWindow, options({})],
      async run(context, [which, parent, given]) {
        const path = context.hostSession(which);
        const answer = [path, context.hostWindow(String(parent)), given];
        const { code, results } = await context.requestFromHost("osa{sv}", answer);
        return code === 0 ? await show(context, which as SessionNumber, results) : { code, results: {} };
      },
    },
    OpenPipeWireRemote: {
      kind: "call",
      args: [session, options({})],
      returns: "h",
      consent: () => "free",
      async run(context, [which]) {
        context.hostSession(which);
        if (!context.isHolding(which as SessionNumber)) throw new NotAllowed("Start comes first");
        return [which];
      },
    },
  },
};

/** Every stream by a connection of its own to the host's PipeWire, which shows that one alone. */
async function show(context: CallContext, which: SessionNumber, results: BusDict): Promise<Response> {
  const streams = (results.streams?.value ?? []) as [node: number, facts: BusDict][];
  if (streams.length > maxStreams) throw new InvalidArgument(`${streams.length} streams; ${maxStreams} are the most`);
  const shown: [number, BusDict][] = [];
  for (const [index, [node, given]] of streams.entries()) {
    const video = await open(context, which, node, index);
    context.holdFor(which, video.close);
    shown.push([video.node, keepKnown(given, facts)]);
  }
  return { code: 0, results: { streams: new Variant("a(ua{sv})", shown) } };
}

async function open(context: CallContext, which: SessionNumber, node: number, index: number): Promise<ShownVideo> {
  if (context.video === undefined) throw new NotAllowed("there is no video");
  const path = context.hostSession(which);
  const [remote] = await context.host.call(context.interface, "OpenPipeWireRemote", "oa{sv}", [path, {}]);
  const name = `cloche-screen-${which.number}-${index}`;
  return context.video.show({
    what: "screen",
    remote: Number(remote),
    node,
    isStill: true,
    capture: { "media.role": "Screen" },
    shown: { "media.class": "Video/Source", "media.role": "Screen", "node.name": name },
  });
}
