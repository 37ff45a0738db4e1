// What machine an instance wants, in the domain's words. Nothing after it reads a manifest.

export interface Share {
  /** The virtiofs tag: `home`, `share0`, … */
  readonly tag: string;
  /** Absolute path on the host, free of symlinks. */
  readonly directory: string;
  readonly readOnly: boolean;
  /** Absolute path of the mount point in the guest. */
  readonly mountPoint: string;
}

export type NetworkPolicy = "none" | "internet";

export interface MachineSpec {
  /** The instance's name: `foot@work`. */
  readonly id: string;
  readonly cpus: number;
  readonly memoryMib: number;
  /** Absolute paths on the host; their digests have been checked. */
  readonly kernel: string;
  readonly initrd: string;
  /** The guest's root: an erofs image, raw. */
  readonly root: string;
  readonly shares: readonly Share[];
  readonly network: NetworkPolicy;
  /** Asked for by name: crosvm's devices all run in one process, with no confinement but Cloche's jail. */
  readonly withoutCrosvmSandbox?: boolean;
}
