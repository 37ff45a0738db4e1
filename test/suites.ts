// The test suites: each a directory below test with *.test.ts in it, and the Rust tests and the checks.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packagePath } from "../src/paths.ts";

export interface Suite {
  readonly name: string;
  /** Files that run at once. */
  readonly concurrency: number;
  /** Seconds without a result after which ava gives the suite up. */
  readonly timeoutSeconds: number;
  /** The images that must be there before. */
  readonly images: readonly string[];
  /** Whether it shows windows on a headless desktop. */
  readonly needsDesktop: boolean;
  /** Whether it runs only when it is named: it takes long, or more than a usual machine has. */
  readonly isOnRequest: boolean;
}

const usual = { concurrency: 1, timeoutSeconds: 300, images: [], needsDesktop: false, isOnRequest: false };
const guests = { ...usual, images: ["foot"] };

/** In the order in which they run: what is quick and what most depends on comes first. */
const known: readonly Suite[] = [
  { ...usual, name: "unit", concurrency: 2, timeoutSeconds: 120 },
  { ...usual, name: "check" },
  { ...usual, name: "rust" },
  { ...usual, name: "portals" },
  { ...usual, name: "lifecycle" },
  { ...guests, name: "vm" },
  { ...guests, name: "hostile" },
  { ...guests, name: "e2e", timeoutSeconds: 600, images: ["foot", "mousepad"], needsDesktop: true },
  { ...guests, name: "clients", timeoutSeconds: 900, images: ["clients"], needsDesktop: true, isOnRequest: true },
];

/** Directories of test that hold no suite. */
const others = new Set(["check", "images", "support"]);

const hasTests = (name: string): boolean => {
  const directory = packagePath("test", name);
  return (
    existsSync(directory) &&
    readdirSync(directory, { recursive: true }).some((file) => String(file).endsWith(".test.ts"))
  );
};

/** Every suite that has tests. */
export function listSuites(): Suite[] {
  const directories = readdirSync(packagePath("test"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !others.has(entry.name) && hasTests(entry.name))
    .map(({ name }) => name);
  const found = known.filter(({ name }) => name === "check" || name === "rust" || directories.includes(name));
  const unknown = directories.filter((name) => !known.some((suite) => suite.name === name));
  return [...found, ...unknown.map((name) => ({ ...guests, name }))];
}

export const suiteDirectory = (name: string): string => join("test", name);
