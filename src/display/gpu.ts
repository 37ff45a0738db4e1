// The virtio-gpu device of monitors that have none of their own: it carries Wayland between the guest and the lens.
import { join } from "node:path";
import { nativeInJail } from "../jail/bwrap.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";
import { displayBind, lensInJail } from "./lens.ts";

/** The device's directory as it and the monitor see it. The monitor sees nothing of the lens. */
export const gpuInJail = "/run/gpu";
const socketName = "device";
export const gpuDeviceInJail = `${gpuInJail}/${socketName}`;

/** MiB of the guest's address space that its windows' pixels can take; memory is used only for what is drawn. */
const windowMib = 1024;

/** @param gpuDirectory on the host; the vfio-user socket is made in it */
export function planGpu(gpuDirectory: string, displayDirectory: string): ProcessPlan {
  return {
    name: "gpu",
    argv: [
      nativeInJail("cloche-gpu"),
      ...["--listen", gpuDeviceInJail, "--wayland", lensInJail, "--window-mib", String(windowMib)],
    ],
    binds: [{ source: gpuDirectory, target: gpuInJail, access: "rw" }, displayBind(displayDirectory)],
    network: "none",
    listensOn: join(gpuDirectory, socketName),
  };
}
