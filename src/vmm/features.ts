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
  pause: "Pause and resume",
  snapshots: "Snapshots",
  hotplug: "Devices added while it runs",
  limits: "Limits",
} as const;

export type Features = Readonly<Record<keyof typeof featureHeadings, string>>;
