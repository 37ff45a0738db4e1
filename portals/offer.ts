// What the guest is told there is: interfaces that the host has and that we know, at the lower of the two versions.
import type { Interface } from "../src/link/protocol.ts";
import { type BusDict, Variant } from "./bus.ts";
import type { HostPortal } from "./host-portal.ts";
import { portals } from "./interfaces.ts";
import type { Portal } from "./portal.ts";
import { dictToWire, variantToWire } from "./wire.ts";

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
  const kept = Object.entries(properties).filter(([name]) => portal.properties?.includes(name));
  return {
    name: portal.name,
    object: portal.object,
    properties: {
      ...dictToWire(Object.fromEntries(kept)),
      version: variantToWire(new Variant("u", Math.min(portal.version, hostVersion))),
    },
  };
}
