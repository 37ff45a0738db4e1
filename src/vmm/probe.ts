// What the host can run, found by trying.
import { probeKvm } from "../../native/bindings/index.ts";
import type { HostFacts } from "./contract.ts";

/** Milliseconds. The guest code takes a few where there is hardware, and about a tenth of this in an emulated machine. */
const kvmDeadlineMs = 900;

export async function probeHost(): Promise<HostFacts> {
  return { kvm: await probeKvm("/dev/kvm", kvmDeadlineMs) };
}
