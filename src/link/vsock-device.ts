// vhost-device-vsock: gives monitors without a hybrid vsock of their own (QEMU, crosvm) the same kind of link.
import { join } from "node:path";
import { nativeInJail } from "../jail/bwrap.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";

/** The guest's address. Every VM has a link of its own, so all have the same. */
export const guestCid = 3;

/**
 * Bytes that the guest may have on the way to the host on one stream. Above 32 KiB less its headers, Linux 6.12 spreads
 * a packet over several descriptors, and vhost-device-vsock 0.3 drops such a packet ("DescriptorLengthTooSmall").
 */
const window = 28 * 1024;

/** The link's directory as helpers and the monitor see it. */
export const linkInJail = "/run/link";
export const vhostVsockInJail = `${linkInJail}/vhost`;
const socketName = "vsock";
/** The hybrid vsock's socket as helpers and the monitor see it. */
export const linkSocketInJail = `${linkInJail}/${socketName}`;

/** The hybrid vsock's socket in the link's directory on the host. */
export const linkSocket = (linkDirectory: string): string => join(linkDirectory, socketName);

export function planVsockDevice(linkDirectory: string): ProcessPlan {
  return {
    name: "vsock",
    argv: [
      nativeInJail("vhost-device-vsock"),
      ...[
        "--vm",
        `guest-cid=${guestCid},socket=${vhostVsockInJail},uds-path=${linkSocketInJail},tx-buffer-size=${window}`,
      ],
    ],
    binds: [{ source: linkDirectory, target: linkInJail, access: "rw" }],
    network: "none",
    listensOn: join(linkDirectory, "vhost"),
  };
}
