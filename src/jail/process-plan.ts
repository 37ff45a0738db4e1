// What a helper process of an instance is: its argv inside the jail, and all that the jail lets it see.

/** One path of the host that the jail shows. */
export interface Bind {
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute path inside the jail. */
  readonly target: string;
  readonly access: "ro" | "rw" | "device";
}

export interface ProcessPlan {
  /** Unique within the instance: `qemu`, `vsock`, `lens`, `share-home`, … */
  readonly name: string;
  /** The program and its arguments, as they are inside the jail. */
  readonly argv: readonly string[];
  /** What it finds as its system: the monitor runtime, or for what must fit the host's own services the host's programs and libraries. */
  readonly system?: "runtime" | "host";
  readonly binds: readonly Bind[];
  /** Directories below /run or /sys that the jail has besides, with nothing in them. */
  readonly emptyDirectories?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** `none`: an empty network namespace. `host`: the user's own, for the one process that is the instance's way out. */
  readonly network: "none" | "host";
  /** Path on the host of the Unix socket that it listens on once it is ready. */
  readonly listensOn?: string;
  /** The name of a process, earlier in the plan, that must listen before this one starts. */
  readonly after?: string;
  /** Descriptors of ours that it inherits, as its 3, 4, … */
  readonly descriptors?: readonly number[];
}
