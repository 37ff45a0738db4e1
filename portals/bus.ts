// The host's session bus. The only file that knows the D-Bus library.
import { type MessageBus, sessionBus, Variant } from "dbus-next";
import { ClocheError } from "../src/errors.ts";

const portal = { name: "org.freedesktop.portal.Desktop", path: "/org/freedesktop/portal/desktop" };
const timeoutMs = 5_000;

/**
 * The version of an interface of the host's xdg-desktop-portal, such as `org.freedesktop.portal.FileChooser`.
 * Starts the portal where the bus can activate it.
 * @throws `unsupported` where there is no session bus, no portal, or no such interface
 */
export async function readPortalVersion(interfaceName: string): Promise<number> {
  if (!process.env.DBUS_SESSION_BUS_ADDRESS) {
    throw new ClocheError("unsupported", "DBUS_SESSION_BUS_ADDRESS is not set: there is no session bus");
  }
  const bus = sessionBus();
  try {
    return await Promise.race([failureOf(bus), askVersion(bus, interfaceName)]);
  } catch (cause) {
    if (cause instanceof ClocheError) throw cause;
    throw new ClocheError("unsupported", `no portal of this desktop answers for ${interfaceName}`, { cause });
  } finally {
    bus.disconnect();
  }
}

async function askVersion(bus: MessageBus, interfaceName: string): Promise<number> {
  const object = await bus.getProxyObject(portal.name, portal.path);
  const version: unknown = await object.getInterface("org.freedesktop.DBus.Properties").Get?.(interfaceName, "version");
  if (version instanceof Variant && typeof version.value === "number") return version.value;
  throw new ClocheError("protocol", `${interfaceName} says no version`);
}

/** Rejects when the connection breaks, or the answer takes too long. */
function failureOf(bus: MessageBus): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  bus.on("error", (cause) => reject(new ClocheError("unsupported", "the session bus cannot be used", { cause })));
  const late = () => reject(new ClocheError("unsupported", `the session bus did not answer in ${timeoutMs / 1000} s`));
  setTimeout(late, timeoutMs).unref();
  return promise;
}
