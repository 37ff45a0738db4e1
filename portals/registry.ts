// Tells the host's portal who speaks, where it can be told: org.freedesktop.host.portal.Registry, xdg-desktop-portal 1.20 and newer.
import { type Bus, BusError } from "./bus.ts";
import { portalName } from "./host-portal.ts";

/** Whether the portal knows this connection by `appId` from now on. Older ones can't tell applications apart. */
export async function registerAs(bus: Bus, appId: string): Promise<boolean> {
  try {
    await bus.call({
      destination: portalName,
      path: "/org/freedesktop/portal/desktop",
      interface: "org.freedesktop.host.portal.Registry",
      member: "Register",
      signature: "sa{sv}",
      body: [appId, {}],
      timeoutMs: 25_000,
    });
    return true;
  } catch (error) {
    if (error instanceof BusError) return false;
    throw error;
  }
}
