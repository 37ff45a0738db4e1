// What the guest is told there is: interfaces that the host has and that we know, at the lower of the two versions.
import type { Interface, MethodTypes } from "../src/link/protocol.ts";
import { type BusDict, Variant } from "./bus.ts";
import type { HostPortal } from "./host-portal.ts";
import { portals } from "./interfaces.ts";
import type { Method, Portal } from "./portal.ts";
import { dictToWire, splitSignature, variantToWire } from "./wire.ts";

export async function offerInterfaces(
  host: HostPortal,
  has: { readonly documents: boolean; readonly video: boolean },
): Promise<Interface[]> {
  const needed = portals.filter(
    ({ givesDocuments, givesVideo }) => (!givesDocuments || has.documents) && (!givesVideo || has.video),
  );
  const offered = await Promise.all(
    needed.map(async (portal) => {
      const properties = portal.isOwn
        ? { version: new Variant("u", portal.version) }
        : await host.properties(portal.name, portal.object);
      return properties === undefined ? [] : [describe(portal, properties)];
    }),
  );
  return offered.flat();
}

function describe(portal: Portal, properties: BusDict): Interface {
  const { version } = properties;
  // The first versions of some had no such property.
  const hostVersion = typeof version?.value === "number" ? version.value : 1;
  const lower = Math.min(portal.version, hostVersion);
  const kept = Object.entries(properties)
    .filter(([name]) => portal.properties?.includes(name))
    .map(([name, given]) => {
      const mask = portal.masks?.[name];
      return [name, mask === undefined ? given : new Variant("u", (Number(given.value) & mask) >>> 0)] as const;
    });
  const methods = Object.entries(portal.methods).filter(([, { since = 0 }]) => since <= lower);
  return {
    name: portal.name,
    object: portal.object,
    properties: {
      ...dictToWire(Object.fromEntries(kept)),
      version: variantToWire(new Variant("u", lower)),
    },
    methods: Object.fromEntries(methods.map(([name, method]) => [name, typesOf(method)])),
    signals: Object.fromEntries(
      Object.entries(portal.signals ?? {}).map(([name, { signature }]) => [name, splitSignature(signature)]),
    ),
  };
}

const typesOf = (method: Method): MethodTypes => ({
  takes: method.args.map(({ signature }) => signature),
  returns: method.kind === "request" ? ["o"] : splitSignature(method.returns),
});
