// Builds what is written in Rust.
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askVersion, runCompiler } from "./compiler.ts";
import type { BuildDirectories } from "./part.ts";

const target = "x86_64-unknown-linux-gnu";
/** The workspace's crates that programs are made with. */
const libraries = ["cloche-cross-domain", "cloche-portals", "cloche-protocol", "cloche-wayland", "cloche-x11"];

const staticFlags = "-C target-feature=+crt-static";

/** Whatever decides a static program besides its sources. */
export const staticRecipe: readonly string[] = [target, staticFlags];

let version: Promise<string> | undefined;

export function identifyRust(): Promise<string> {
  version ??= askVersion(
    "rustc",
    "-vV",
    "Install Rust 1.89 or newer (Debian 12: with rustup), then run npm run build again.",
  );
  return version;
}

/** A Node addon: a shared library of the workspace. */
export async function buildCdylib(crate: string, path: string, directories: BuildDirectories): Promise<void> {
  await buildCrate(crate, [], "", directories);
  await copyFile(join(directories.intermediate, "release", `lib${crate.replaceAll("-", "_")}.so`), path);
}

/** A program of the workspace, named like its crate, that runs in any root. */
export async function buildStaticProgram(crate: string, path: string, directories: BuildDirectories): Promise<void> {
  await buildCrate(crate, ["--target", target], staticFlags, directories);
  await copyFile(join(directories.intermediate, target, "release", crate), path);
}

async function buildCrate(
  crate: string,
  options: readonly string[],
  flags: string,
  directories: BuildDirectories,
): Promise<void> {
  const run = {
    cwd: join(directories.checkout, "native"),
    environment: { CARGO_TARGET_DIR: directories.intermediate, RUSTFLAGS: flags },
  };
  // Cargo goes by times of files, which say nothing where a checkout has taken another's place; its packages stay built.
  const ours = [crate, ...libraries].flatMap((name) => ["--package", name]);
  await runCompiler("cargo", ["clean", "--quiet", "--locked", "--release", ...options, ...ours], run);
  await runCompiler("cargo", ["build", "--locked", "--release", ...options, "--package", crate], run);
}

/** A published program of that version, built with the versions it was published with. */
export async function installStaticProgram(
  { name, version }: { readonly name: string; readonly version: string },
  path: string,
  { intermediate }: BuildDirectories,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "cloche-install-"));
  try {
    await runCompiler(
      "cargo",
      ["install", "--locked", "--target", target, "--root", root, "--version", version, name],
      {
        environment: { CARGO_TARGET_DIR: intermediate, RUSTFLAGS: staticFlags, CARGO_PROFILE_RELEASE_STRIP: "symbols" },
      },
    );
    await copyFile(join(root, "bin", name), path);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
