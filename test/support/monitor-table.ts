// The table of docs/monitors.md, from what the drivers declare.

import { featureHeadings } from "../../src/vmm/features.ts";
import { drivers } from "../../src/vmm/select.ts";

export function renderMonitorTable(): string {
  const keys = Object.keys(featureHeadings).filter(
    (key): key is keyof typeof featureHeadings => key in featureHeadings,
  );
  const head = ["", ...drivers.map(({ name }) => name)];
  const rows = keys.map((key) => [featureHeadings[key], ...drivers.map(({ features }) => features[key])]);
  const widths = head.map((_cell, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
