// org.freedesktop.portal.Inhibit: keeps the computer awake until the guest closes the request, or ends; tells whether the screen is locked.
import { type BusDict, Variant } from "../bus.ts";
import { beginSession, type Portal } from "../portal.ts";
import { flags, options, parentWindow, session, text } from "../readers.ts";

/** Suspend and idle. Logging out and changing users are not a guest's to hinder. */
const suspendAndIdle = 4 | 8;

export const inhibit: Portal = {
  name: "org.freedesktop.portal.Inhibit",
  object: "desktop",
  version: 3,
  permission: "inhibit",
  consent: "ask",
  wants: "keep the computer awake",
  methods: {
    Inhibit: {
      kind: "request",
      args: [parentWindow, flags(suspendAndIdle), options({ reason: text(512) })],
      // Editors hinder logging out while something is not saved: there is nothing to ask then.
      consent: ([, what]) => (what === 0 ? "free" : "ask"),
      async run(context, [parent, what, given]) {
        if (what === 0) return { code: 0, results: {}, end: () => {} };
        const reason = `[${context.instance}] ${(given as BusDict).reason?.value ?? ""}`;
        const body = [context.hostWindow(String(parent)), what, { reason: new Variant("s", reason) }];
        return context.requestFromHost("sua{sv}", body, { lasts: true });
      },
    },
    CreateMonitor: beginSession([parentWindow, options({})], { since: 2, consent: () => "free" }),
    QueryEndResponse: {
      kind: "call",
      args: [session],
      returns: "",
      since: 3,
      consent: () => "free",
      run: (context, [of]) => context.callHost("o", [context.hostSession(of)]),
    },
  },
  signals: { StateChanged: { signature: "oa{sv}" } },
};
