// What monitors differ in. Each driver declares its part; docs/monitors.md shows all of them.

/** The rows of the table, in its order, with their headings. */
export const featureHeadings = {
  source: "Where it comes from",
  withoutKvm: "Runs without KVM",
  chosenBy: "Taken by",
  windows: "Windows",
  link: "Link to the guest",
  shares: "Shared directories",
  network: "Network",
  disk: "The image's root",
  confinement: "Confinement of its own, within Cloche's jail",
  nested: "Virtualisation inside the guest",
  pause: "Pause and resume (by the driver; no command yet)",
  snapshots: "Snapshots (by the driver; no command yet)",
  hotplug: "Devices added while it runs (by the driver; no command yet)",
  limits: "Limits",
} as const;

export type Features = Readonly<Record<keyof typeof featureHeadings, string>>;
