// org.freedesktop.portal.ProxyResolver: how the host would reach an address.
import type { Portal } from "../portal.ts";
import { matching } from "../readers.ts";

export const proxyResolver: Portal = {
  name: "org.freedesktop.portal.ProxyResolver",
  object: "desktop",
  version: 1,
  permission: "network-status",
  consent: "free",
  wants: "know your proxy",
  methods: {
    Lookup: {
      kind: "call",
      args: [matching(/^[a-z][a-z0-9+.-]*:[^\s\p{Cc}]*$/iu, 4096)],
      returns: "as",
      run: async (context, [uri]) => (context.hasNetwork ? context.callHost("s", [uri]) : [["direct://"]]),
    },
  },
};
