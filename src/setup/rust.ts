// The Rust toolchain: whether it is there and new enough.
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { SetupError } from "./setup-error.ts";

/** The oldest Rust that all crates compile with. */
const oldestMinor = 89;

/** Also puts rustup's own directory on PATH, which a shell that is older than the installation lacks. */
export async function checkRust(): Promise<void> {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  process.env.PATH = `${process.env.PATH ?? ""}${delimiter}${join(cargoHome, "bin")}`;
  const { stdout, failed } = await execa("cargo", ["--version"], { reject: false });
  if (failed) throw new SetupError("Rust", "cargo is not on PATH", "Install Rust by rustup; it needs no root.");
  const minor = Number(/^cargo 1\.(\d+)/.exec(stdout ?? "")?.[1] ?? 0);
  if (minor < oldestMinor)
    throw new SetupError("Rust", `${stdout} is too old, 1.${oldestMinor} is needed`, "rustup update stable");
}
