// Whether src/link/protocol.ts and its schema are what native/protocol generates.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packagePath } from "../../src/paths.ts";

const files = ["protocol.ts", "protocol.schema.json"];

export async function findGeneratedDrift(): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), "cloche-generated-"));
  try {
    const manifest = packagePath("native", "Cargo.toml");
    const argv = [
      "run",
      "--quiet",
      "--locked",
      "-j2",
      "--manifest-path",
      manifest,
      "-p",
      "cloche-protocol",
      "--bin",
      "generate",
      "--",
      directory,
    ];
    const { exitCode, stderr } = await execa("cargo", argv, { reject: false, stdin: "ignore" });
    if (exitCode !== 0) return [stderr];
    const drifted = await Promise.all(
      files.map(async (name) => {
        const [wanted, stored] = await Promise.all(
          [join(directory, name), packagePath("src", "link", name)].map((path) => readFile(path, "utf8")),
        );
        return wanted === stored
          ? []
          : [`src/link/${name} differs: cargo run -p cloche-protocol --bin generate -- ../src/link, in native`];
      }),
    );
    return drifted.flat();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
