// org.freedesktop.portal.NetworkMonitor: what the host says of its network, for an instance that has one.

import { Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import type { CallMethod, Portal } from "../portal.ts";
import { type Reader, text, unsigned } from "../readers.ts";

/** NMConnectivityState: this machine only. */
const local = 1;

export const networkMonitor: Portal = {
  name: "org.freedesktop.portal.NetworkMonitor",
  object: "desktop",
  version: 3,
  permission: "network-status",
  consent: "free",
  wants: "know whether there is a network",
  methods: {
    GetAvailable: orWithout("b", [false]),
    GetMetered: orWithout("b", [false]),
    GetConnectivity: orWithout("u", [local]),
    GetStatus: orWithout("a{sv}", [
      { available: new Variant("b", false), metered: new Variant("b", false), connectivity: new Variant("u", local) },
    ]),
    CanReach: orWithout("b", [false], [text(255), unsigned(65_535)]),
  },
  signals: { changed: { signature: "" } },
};

/** The host's answer; for an instance without a network, that there is none. */
function orWithout(returns: string, none: readonly unknown[], args: readonly Reader[] = []): CallMethod {
  const signature = args.map((reader) => reader.signature).join("");
  const run = async (context: CallContext, values: readonly unknown[]) =>
    context.hasNetwork ? context.callHost(signature, values) : none;
  return { kind: "call", args, returns, run };
}
