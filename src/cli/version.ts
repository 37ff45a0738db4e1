// The version of the package.
import { readFileSync } from "node:fs";
import { packagePath } from "../paths.ts";

export function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(packagePath("package.json"), "utf8"));
  return version;
}
