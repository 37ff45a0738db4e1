// The test suites: directories below test with *.test.ts in them, the Rust tests and the checks, and files that are named to run where KVM works.
import { existsSync, readdirSync } from "node:fs";
import { packagePath } from "../src/paths.ts";

export interface Suite {
  readonly name: string;
  /** The test files, as ava's patterns from the checkout on; none for what is not ava's. */
  readonly files: readonly string[];
  /** Where they run: on this machine, or on one with a working /dev/kvm, which may be the nested one. */
  readonly where: "here" | "kvm";
  /** Files that run at once. */
  readonly concurrency: number;
  /** Seconds without a result after which ava gives the suite up. */
  readonly timeoutSeconds: number;
  /** The images that must be there before. */
  readonly images: readonly string[];
  /** Whether it shows windows on a headless desktop. */
  readonly needsDesktop: boolean;
  /** Whether the subjects of test/parity are only those that show that all layers work. */
  readonly isThin: boolean;
  /** Whether it runs only when it is named: it takes long. */
  readonly isOnRequest: boolean;
}

const usual = {
  where: "here",
  concurrency: 1,
  timeoutSeconds: 300,
  images: [],
  needsDesktop: false,
  isThin: false,
  isOnRequest: false,
} as const;
const suite = (name: string, facts: Partial<Suite> = {}): Suite => ({
  ...usual,
  name,
  files: [`test/${name}/**/*.test.ts`],
  ...facts,
});
const guests = { images: ["foot"] };

/** In an emulated machine: a guest with a window takes minutes. */
const nested = { ...guests, where: "kvm", timeoutSeconds: 1_200, needsDesktop: true } as const;
const parityFiles = (...monitors: string[]) => monitors.map((name) => `test/parity/${name}.test.ts`);

/** In the order in which they run: what is quick and what most depends on comes first. */
const known: readonly Suite[] = [
  suite("unit", { concurrency: 2, timeoutSeconds: 120 }),
  suite("check", { files: [] }),
  suite("rust", { files: [] }),
  suite("portals"),
  suite("lifecycle"),
  suite("vm", guests),
  suite("hostile", guests),
  suite("parity", { ...guests, files: parityFiles("qemu-tcg"), needsDesktop: true }),
  suite("nested", { ...nested, files: parityFiles("cloud-hypervisor", "crosvm"), isThin: true }),
  suite("e2e", { timeoutSeconds: 600, images: ["foot", "mousepad"], needsDesktop: true }),
  suite("monitors", {
    ...nested,
    files: parityFiles("qemu-kvm", "cloud-hypervisor", "crosvm"),
    isOnRequest: true,
  }),
  suite("clients", {
    timeoutSeconds: 900,
    images: ["clients", "camera", "gnome-text-editor", "featherpad", "nedit", "firefox-esr"],
    needsDesktop: true,
    isOnRequest: true,
  }),
  suite("conformance", { timeoutSeconds: 900, isOnRequest: true }),
];

/** Directories of test that hold no suite. */
const others = new Set(["check", "images", "nested", "support"]);

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
  const found = known.filter(
    ({ name, files, where }) => files.length === 0 || where === "kvm" || directories.includes(name),
  );
  const unknown = directories.filter((name) => !known.some((other) => other.name === name));
  return [...found, ...unknown.map((name) => suite(name, guests))];
}

/** The suite of that name, or what `nested:FILE[,FILE…]` names. Throws for what is neither. */
export function findSuite(name: string): Suite {
  const all = listSuites();
  const found = all.find((other) => other.name === name);
  if (found !== undefined) return found;
  const files = /^nested:(.+)$/.exec(name)?.[1]?.split(",");
  if (files !== undefined) return suite(name, { ...nested, files });
  throw new Error(`there is no suite ${name}; the suites: ${all.map((other) => other.name).join(", ")}, nested:FILE`);
}
