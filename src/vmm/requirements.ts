// What a monitor that the user installs has to be: the one place of minimum versions and needed options.
import type { InstalledName } from "./contract.ts";

export interface Requirement {
  readonly program: string;
  /** The environment variable that names the program instead of PATH. */
  readonly variable: string;
  readonly versionArguments: readonly string[];
  /** Finds the version in what the program answers; its first group is the version, its second the major number. */
  readonly versionPattern: RegExp;
  /** The lowest major version, where the project numbers its releases. */
  readonly minimum: number;
  readonly helpArguments: readonly string[];
  /** Words that its help has to have, each with what they are for. */
  readonly options: Readonly<Record<string, string>>;
  /** Words of its help that not every build has, and that its driver looks for. */
  readonly optional: readonly string[];
  readonly remedy: string;
}

export const requirements: Readonly<Record<InstalledName, Requirement>> = {
  "cloud-hypervisor": {
    program: "cloud-hypervisor",
    variable: "CLOCHE_CLOUD_HYPERVISOR",
    versionArguments: ["--version"],
    versionPattern: /^cloud-hypervisor v((\d+)\S*)/m,
    // The first with disk formats by name; its fixes are of the devices that a guest talks to.
    minimum: 52,
    helpArguments: ["--help"],
    options: {
      "--landlock": "its confinement to files",
      "--seccomp": "its confinement to system calls",
      "--event-monitor": "readiness and end",
      "--user-device": "windows",
      "image_type=": "disks of a named format",
      "nested=": "guests without virtualisation of their own",
    },
    optional: [],
    remedy:
      "Install a release from github.com/cloud-hypervisor/cloud-hypervisor, or name one with CLOCHE_CLOUD_HYPERVISOR.",
  },
  crosvm: {
    program: "crosvm",
    variable: "CLOCHE_CROSVM",
    versionArguments: ["version"],
    versionPattern: /^crosvm ((\d+)\S*)/m,
    // It has had no other number for years: its options are what tells.
    minimum: 0,
    helpArguments: ["run", "--help"],
    options: {
      "--gpu": "windows: it has to be built with the feature gpu",
      "--wayland-sock": "windows",
      "max-queue-size": "the link",
      "--pivot-root": "its confinement",
      "--socket": "commands while it runs",
    },
    optional: ["--nested"],
    remedy:
      "Build it from chromium.googlesource.com/crosvm/crosvm with the features gpu and net, or name one with CLOCHE_CROSVM.",
  },
};
