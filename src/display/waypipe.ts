// Windows over the link by waypipe: the guest's server end connects here, and this end draws through the lens.
import type { ProcessPlan } from "../jail/process-plan.ts";
import { hostPortPath } from "../link/hybrid-vsock.ts";
import { linkPort } from "../link/protocol.ts";
import { linkInJail, linkSocket } from "../link/vsock-device.ts";
import { displayBind, lensInJail } from "./lens.ts";

export function planWaypipe(linkDirectory: string, displayDirectory: string): ProcessPlan {
  const inJail = hostPortPath(linkSocket(linkInJail), linkPort.wayland);
  return {
    name: "waypipe",
    // It asks the compositor for its globals as soon as it starts.
    after: "lens",
    argv: ["waypipe", "--compress", "none", "--no-gpu", "--socket", inJail, "client"],
    environment: { WAYLAND_DISPLAY: lensInJail, XDG_RUNTIME_DIR: "/tmp" },
    binds: [{ source: linkDirectory, target: linkInJail, access: "rw" }, displayBind(displayDirectory)],
    network: "none",
    listensOn: hostPortPath(linkSocket(linkDirectory), linkPort.wayland),
  };
}
