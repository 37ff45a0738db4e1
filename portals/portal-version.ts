// What the host's xdg-desktop-portal offers, for `cloche doctor`.
import { ClocheError } from "../src/errors.ts";
import { Bus } from "./bus.ts";
import { HostPortal } from "./host-portal.ts";

/**
 * The version of an interface of the host's portal, such as `org.freedesktop.portal.FileChooser`.
 * Starts the portal where the bus can activate it.
 * @throws `unsupported` where there is no session bus, no portal, or no such interface
 */
export async function readPortalVersion(interfaceName: string): Promise<number> {
  using bus = await Bus.connect(process.env.DBUS_SESSION_BUS_ADDRESS);
  await using host = await HostPortal.open(bus);
  const version = (await host.properties(interfaceName))?.version?.value;
  if (typeof version === "number") return version;
  throw new ClocheError("unsupported", `no portal of this desktop answers for ${interfaceName}`);
}
