// What every monitor's driver is: a pure plan before anything runs, and a handle on what runs.
import type { Duplex } from "node:stream";
import { ClocheError } from "../errors.ts";
import type { HostProgram } from "../jail/host-program.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";
import type { Features } from "./features.ts";
import type { MachineSpec } from "./machine-spec.ts";

export type MonitorName = "qemu" | "cloud-hypervisor" | "crosvm";
/** QEMU is part of the runtime; these are found where the user has installed them. */
export type InstalledName = Exclude<MonitorName, "qemu">;

/** What the host offers to monitors, as found by trying. */
export interface HostFacts {
  /** Whether /dev/kvm runs guest code, and why not where it does not. */
  readonly kvm: { readonly usable: boolean; readonly reason: string };
  /** Undefined where nobody looked. */
  readonly installed: { readonly [name in InstalledName]?: InstalledMonitor };
  /** Why the kernel's Landlock is not what cloud-hypervisor takes; undefined where it is. */
  readonly landlockLack: string | undefined;
  readonly supervisor: {
    readonly isRoot: boolean;
    /** The hard limit of what one process may have open. */
    readonly maxOpenFiles: number;
  };
}

export interface UsableMonitor {
  readonly usable: true;
  readonly program: HostProgram;
  readonly version: string;
  /** Those of its options that not every build has, and that its driver uses where they are. */
  readonly options: readonly string[];
}

/** A monitor of the user's, or why there is none that can be used. */
export type InstalledMonitor = UsableMonitor | ({ readonly usable: false; readonly isInstalled: boolean } & Lack);

/** What of a launch decides whether a monitor can do it here. */
export interface Needs {
  readonly hasWindows: boolean;
  readonly withoutCrosvmSandbox?: boolean;
}

/** What is missing, as a clause, and what to do about it. */
export interface Lack {
  readonly reason: string;
  readonly hint: string;
}

/** Unix sockets between the monitor and the instance's other processes. Each is a path inside the monitor's jail. */
export interface MonitorSockets {
  readonly link: {
    /** The guest's vsock address. */
    readonly guestCid: number;
    /** vhost-user back end, for monitors without a hybrid vsock of their own. */
    readonly device: string;
    /** Where a monitor's own hybrid vsock listens. */
    readonly hybrid: string;
  };
  /** vhost-user back ends of the shares, by tag. */
  readonly shares: Readonly<Record<string, string>>;
  /** vhost-user back end of the network; undefined where the policy is `none`. */
  readonly network: string | undefined;
  /** Undefined where the instance has no windows. */
  readonly display: DisplaySockets | undefined;
}

export interface DisplaySockets {
  /** vfio-user server that is a virtio-gpu device, for monitors without one of their own. */
  readonly device: string;
  /** The lens, for monitors with a device of their own. */
  readonly wayland: string;
}

export interface MonitorPlan {
  /** `argv`, binds and descriptors; the sockets' directories are added by who lays them out. */
  readonly process: ProcessPlan;
  /** Whether it is controlled through an inherited socket, its descriptor `controlDescriptor`. */
  readonly hasControlDescriptor: boolean;
  /** The process that gives it a command while it runs, without the command; where it is controlled that way. */
  readonly commander?: ProcessPlan;
  /** `KVM` or `TCG (compatibility mode)`, for `inspect` and the launch message. */
  readonly accelerator: string;
}

/** The number of the inherited control socket in the monitor. */
export const controlDescriptor = 3;

/** What a driver has of a monitor that has just been started. */
export interface MonitorAccess {
  /** The other end of its control descriptor, where it has one. */
  readonly stream: Duplex | undefined;
  /** The directory on the host that is `monitorInJail` in the monitor's jail. What lies there is the monitor's own doing. */
  readonly directory: string;
  /** Runs the plan's commander with these arguments; rejects with `monitor-failed` where it does not succeed. */
  command(args: readonly string[]): Promise<void>;
  /** Aborted when the user gives up. */
  readonly signal: AbortSignal;
}

export function controlStream({ stream }: MonitorAccess): Duplex {
  if (stream === undefined) throw new ClocheError("state", "the monitor was started without its control descriptor");
  return stream;
}

/** Where the monitor's own sockets are in its jail. */
export const monitorInJail = "/run/monitor";

/** A monitor that runs. */
export interface MonitorControl {
  /** Presses the power button, pauses and resumes the machine. */
  powerDown(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the monitor at once, by its own command. */
  quit(): Promise<void>;
  /** Resolves, in words, when the guest has ended and the monitor will not end by itself; it is to be killed then. */
  readonly guestEnded?: Promise<string>;
  /** Undefined where the driver cannot. */
  readonly snapshots?: Snapshots;
  readonly hotplug?: Hotplug;
}

/** Directories are those of the monitor's jail, below `monitorInJail`. */
export interface Snapshots {
  /** Writes the paused machine's state and memory into a directory that exists. */
  save(directory: string): Promise<void>;
  /** Replaces the machine by the one that was saved there, and lets it run. The guest's connections end. */
  restore(directory: string): Promise<void>;
}

export interface Hotplug {
  /** Plugs a device into the running machine; returns the name that `remove` takes. */
  add(device: NewDevice): Promise<string>;
  remove(id: string): Promise<void>;
}

/** Sockets are those of the monitor's jail. */
export type NewDevice =
  | { readonly kind: "share"; readonly tag: string; readonly socket: string }
  | { readonly kind: "network"; readonly socket: string }
  | { readonly kind: "link"; readonly guestCid: number; readonly socket: string }
  | { readonly kind: "display"; readonly socket: string };

export interface MonitorDriver {
  readonly name: MonitorName;
  /** What the monitor has itself; for the rest it gets a helper process's socket. */
  readonly own: { readonly link: boolean; readonly display: boolean };
  /** What it has to offer, for the table in docs/monitors.md. */
  readonly features: Features;
  /** Why it cannot run on this host; undefined where it can. */
  lack(host: HostFacts, needs: Needs): Lack | undefined;
  /** Pure: no I/O. Throws `unsupported` for what this monitor or host cannot do, before anything runs. */
  plan(spec: MachineSpec, host: HostFacts, sockets: MonitorSockets): MonitorPlan;
  /** Resolves when the monitor answers. */
  control(access: MonitorAccess): Promise<MonitorControl>;
}
