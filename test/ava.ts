// The argv that runs test files.
import { packagePath } from "../src/paths.ts";

export const avaArgv = (files: readonly string[], concurrency: number, timeoutSeconds: number): string[] => [
  ...[process.execPath, packagePath("node_modules", "ava", "entrypoints", "cli.js"), "--tap"],
  ...["--concurrency", String(concurrency), "--timeout", `${timeoutSeconds}s`, ...files],
];
