// The instance's own network: a namespace that pasta connects, the policy in it, and passt as the monitor's back end.
import { join } from "node:path";
import type { ProcessPlan } from "../jail/process-plan.ts";
import type { Network } from "../link/protocol.ts";
import { packagePath } from "../paths.ts";
import type { NetworkPolicy } from "../vmm/machine-spec.ts";

export const networkInJail = "/run/net";
export const networkSocketInJail = `${networkInJail}/passt`;

/** What the guest is configured with; passt answers at the gateway's and the name server's address. */
export const guestNetwork: Network = { address: "10.0.2.15", prefixLength: 24, gateway: "10.0.2.2", dns: ["10.0.2.3"] };

/** Where the namespace sends name look-ups: pasta hands them to the host's own resolver. Link-local, so nothing else is there. */
const resolver = "169.254.77.53";

export function planNetwork(policy: Exclude<NetworkPolicy, "none">, networkDirectory: string): ProcessPlan {
  const passt = [
    ...[
      "passt",
      "--vhost-user",
      "--foreground",
      "--quiet",
      "--socket",
      networkSocketInJail,
      "--no-map-gw",
      "--ipv4-only",
    ],
    ...[
      "--address",
      guestNetwork.address,
      "--netmask",
      String(guestNetwork.prefixLength),
      "--gateway",
      guestNetwork.gateway,
    ],
    ...["--dns-forward", guestNetwork.dns[0] ?? "", "--dns-host", resolver, "--no-dhcp", "--no-ra", "--no-dhcpv6"],
  ];
  return {
    name: "network",
    argv: [
      ...["pasta", "--config-net", "--foreground", "--quiet", "--no-map-gw", "--ipv4-only", "--dns-forward", resolver],
      ...["-t", "none", "-u", "none", "-T", "none", "-U", "none", "--"],
      // The rules stand before passt takes its first connection.
      ...["/usr/bin/dash", "-c", 'nft -f "$0" && exec "$@"', `/run/policy/${policy}.nft`, ...passt],
    ],
    binds: [
      { source: networkDirectory, target: networkInJail, access: "rw" },
      { source: packagePath("vm-images", "runtime", "policy"), target: "/run/policy", access: "ro" },
      { source: "/etc/resolv.conf", target: "/etc/resolv.conf", access: "ro" },
      { source: "/dev/net/tun", target: "/dev/net/tun", access: "device" },
    ],
    network: "host",
    listensOn: join(networkDirectory, "passt"),
  };
}
