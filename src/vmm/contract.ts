// What every monitor's driver is: a pure plan before anything runs, and a handle on what runs.
import type { Duplex } from "node:stream";
import type { ProcessPlan } from "../jail/process-plan.ts";
import type { MachineSpec } from "./machine-spec.ts";

export type MonitorName = "qemu" | "cloud-hypervisor" | "crosvm";

/** What the host offers to monitors, as found by trying. */
export interface HostFacts {
  /** Whether /dev/kvm runs guest code, and why not where it does not. */
  readonly kvm: { readonly usable: boolean; readonly reason: string };
}

/** Unix sockets of the instance's helper processes. Each is a path inside the monitor's jail. */
export interface MonitorSockets {
  /** vhost-user back end of the link. */
  readonly vsock: string;
  /** vhost-user back ends of the shares, by tag. */
  readonly shares: Readonly<Record<string, string>>;
  /** vhost-user back end of the network; undefined where the policy is `none`. */
  readonly network: string | undefined;
}

export interface MonitorPlan {
  /** `argv`, binds and descriptors; the sockets' directories are added by who lays them out. */
  readonly process: ProcessPlan;
  /** The number of the inherited descriptor that the monitor is controlled through. */
  readonly controlDescriptor: number;
  /** `KVM` or `TCG (compatibility mode)`, for `inspect` and the launch message. */
  readonly accelerator: string;
}

/** A monitor that runs. */
export interface MonitorControl {
  /** Presses the power button, pauses and resumes the machine. */
  powerDown(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the monitor at once, by its own command. */
  quit(): Promise<void>;
}

export interface MonitorDriver {
  readonly name: MonitorName;
  /** Pure: no I/O. Throws `unsupported` for what this monitor or host cannot do, before anything runs. */
  plan(spec: MachineSpec, host: HostFacts, sockets: MonitorSockets): MonitorPlan;
  /** Takes over the control descriptor's other end. */
  control(stream: Duplex, signal: AbortSignal): Promise<MonitorControl>;
}
