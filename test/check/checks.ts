// The checks of `npm run check`: each a program whose exit status tells, or a function that returns what is wrong.
import { execa } from "execa";
import { packagePath } from "../../src/paths.ts";
import { findGeneratedDrift } from "./generated.ts";
import { findLayerViolations } from "./layers.ts";

export interface Check {
  readonly name: string;
  readonly summary: string;
  /** A program and its arguments, or a function that resolves to one line for each thing that is wrong. */
  readonly run: readonly string[] | (() => Promise<string[]>);
}

const tool = (name: string) => packagePath("node_modules", ".bin", name);
const cargo = (...args: string[]) => ["cargo", ...args, "--manifest-path", packagePath("native", "Cargo.toml")];
const clippy = ["--workspace", "--all-targets", "--locked", "-j2"];

export const checks: readonly Check[] = [
  {
    name: "types",
    summary: "the TypeScript type-checks",
    run: [tool("tsc"), "--project", packagePath("tsconfig.json")],
  },
  {
    name: "biome",
    summary: "lint and formatting are clean",
    run: [tool("biome"), "check", "--error-on-warnings", packagePath()],
  },
  { name: "layers", summary: "dependencies point down", run: findLayerViolations },
  { name: "dead code", summary: "every file, export and dependency is used", run: [tool("knip"), "--no-progress"] },
  { name: "rustfmt", summary: "the Rust is formatted", run: cargo("fmt", "--all", "--check") },
  {
    name: "clippy",
    summary: "clippy has nothing to say",
    run: [...cargo("clippy", ...clippy), "--", "-D", "warnings"],
  },
  { name: "generated", summary: "the protocol's TypeScript is what the Rust says", run: findGeneratedDrift },
];

/** What is wrong, or undefined. */
export async function runCheck({ run }: Check): Promise<string | undefined> {
  if (typeof run === "function") {
    const wrong = await run();
    return wrong.length === 0 ? undefined : wrong.join("\n");
  }
  const [file = "", ...args] = run;
  const { exitCode, all } = await execa(file, args, {
    cwd: packagePath(),
    all: true,
    reject: false,
    stdin: "ignore",
    env: { FORCE_COLOR: "0" },
  });
  return exitCode === 0 ? undefined : all;
}
