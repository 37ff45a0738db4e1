// org.freedesktop.portal.Inhibit: keeps the computer awake until the guest closes the request, or ends.
import { type BusDict, Variant } from "../bus.ts";
import type { Portal } from "../portal.ts";
import { flags, options, parentWindow, text } from "../readers.ts";

/** Suspend and idle. Logging out and changing users are not a guest's to hinder. */
const suspendAndIdle = 4 | 8;

export const inhibit: Portal = {
  name: "org.freedesktop.portal.Inhibit",
  object: "desktop",
  version: 1,
  permission: "inhibit",
  consent: "ask",
  wants: "keep the computer awake",
  methods: {
    Inhibit: {
      kind: "request",
      args: [parentWindow, flags(suspendAndIdle), options({ reason: text(512) })],
      run(context, [parent, what, given]) {
        const reason = `[${context.instance}] ${(given as BusDict).reason?.value ?? ""}`;
        const body = [context.hostWindow(String(parent)), what, { reason: new Variant("s", reason) }];
        return context.requestFromHost("sua{sv}", body, { lasts: true });
      },
    },
  },
};
