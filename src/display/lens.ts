// The lens: the only process that connects to the compositor for an instance.
import { join } from "node:path";
import { nativeInJail } from "../jail/bwrap.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";

export type ClipboardPolicy = "none" | "guest-to-host" | "host-to-guest" | "both";

const displayInJail = "/run/display";
const compositorInJail = "/run/compositor";
const socketName = "wayland";

/** The lens's front end as other jails of the instance see it. */
export const lensInJail = `${displayInJail}/${socketName}`;

/** Shows `displayDirectory` to a process that draws through the lens. */
export const displayBind = (displayDirectory: string) =>
  ({ source: displayDirectory, target: displayInJail, access: "rw" }) as const;

/**
 * @param displayDirectory on the host; the lens's socket is made in it
 * @param compositor the compositor's socket on the host; nothing else gets it
 */
export function planLens(
  id: string,
  displayDirectory: string,
  compositor: string,
  clipboard: ClipboardPolicy,
): ProcessPlan {
  return {
    name: "lens",
    argv: [
      nativeInJail("cloche-lens"),
      ...["--listen", lensInJail, "--compositor", compositorInJail, "--instance", id, "--clipboard", clipboard],
    ],
    binds: [displayBind(displayDirectory), { source: compositor, target: compositorInJail, access: "rw" }],
    network: "none",
    listensOn: join(displayDirectory, socketName),
  };
}
