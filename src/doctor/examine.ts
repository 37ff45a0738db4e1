// Runs every check of `cloche doctor`.
import { ClocheError, messageOf } from "../errors.ts";
import { checkBuildTools, checkSubordinateIds } from "./build-tools.ts";
import { checkDisk, checkRuntimeDirectory } from "./directories.ts";
import { checkDisplay } from "./display.ts";
import type { Check, Finding } from "./finding.ts";
import { checkKvm } from "./kvm.ts";
import { checkMonitor } from "./monitors.ts";
import { checkNativeParts } from "./native-parts.ts";
import { checkPortal } from "./portal.ts";
import { checkRuntime } from "./runtime.ts";
import { checkSandbox } from "./sandbox.ts";

const checks: readonly Check[] = [
  { name: "native parts", run: checkNativeParts },
  { name: "KVM", run: checkKvm },
  { name: "jail", run: checkSandbox },
  { name: "monitor runtime", run: checkRuntime },
  { name: "cloud-hypervisor", run: () => checkMonitor("cloud-hypervisor") },
  { name: "crosvm", run: () => checkMonitor("crosvm") },
  { name: "Wayland display", run: checkDisplay },
  { name: "desktop portal", run: checkPortal },
  { name: "runtime directory", run: checkRuntimeDirectory },
  { name: "disk", run: checkDisk },
  { name: "building images", run: checkBuildTools },
  { name: "subordinate ids", run: checkSubordinateIds },
];

/** In the order that they are shown in. */
export function examine(): Promise<Finding[]> {
  return Promise.all(checks.map(runCheck));
}

async function runCheck({ name, run }: Check): Promise<Finding> {
  try {
    return { name, ...(await run()) };
  } catch (error) {
    const hint = error instanceof ClocheError ? error.hint : undefined;
    return { name, verdict: "fail", text: messageOf(error), ...(hint !== undefined && { hint }) };
  }
}
