// vhost-device-vsock: gives monitors without a hybrid vsock of their own (QEMU, crosvm) the same kind of link.
import { join } from "node:path";
import { nativeInJail } from "../jail/bwrap.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";

/** The guest's address. Every VM has a link of its own, so all have the same. */
export const guestCid = 3;

/** The link's directory as helpers and the monitor see it. */
export const linkInJail = "/run/link";
export const vhostVsockInJail = `${linkInJail}/vhost`;
const socketName = "vsock";

/** The hybrid vsock's socket in the link's directory on the host. */
export const linkSocket = (linkDirectory: string): string => join(linkDirectory, socketName);

export function planVsockDevice(linkDirectory: string): ProcessPlan {
  return {
    name: "vsock",
    argv: [
      nativeInJail("vhost-device-vsock"),
      ...["--vm", `guest-cid=${guestCid},socket=${vhostVsockInJail},uds-path=${linkInJail}/${socketName}`],
    ],
    binds: [{ source: linkDirectory, target: linkInJail, access: "rw" }],
    network: "none",
    listensOn: join(linkDirectory, "vhost"),
  };
}
