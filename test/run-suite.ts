// Runs one suite and counts what its tests came to.
import { execa } from "execa";
import { packagePath } from "../src/paths.ts";
import { readLines } from "../src/read-lines.ts";
import { avaArgv } from "./ava.ts";
import { checks, runCheck } from "./check/checks.ts";
import { newOutcome, type Outcome, readCargoLine, readTapLine } from "./outcome.ts";
import type { Suite } from "./suites.ts";

export async function runSuite(suite: Suite): Promise<Outcome> {
  if (suite.name === "check") return runChecks();
  if (suite.name === "rust") return runReported(cargoArgv, readCargoLine);
  const argv = avaArgv(suite.files, suite.concurrency, suite.timeoutSeconds);
  const nested = [process.execPath, packagePath("test", "nested", "run.ts"), "--", ...argv];
  return runReported(suite.where === "kvm" ? nested : argv, readTapLine, suite.isThin ? { CLOCHE_PARITY: "thin" } : {});
}

const cargoArgv = [
  "cargo",
  "test",
  "--quiet",
  "--no-fail-fast",
  "--workspace",
  "--locked",
  "--manifest-path",
  packagePath("native", "Cargo.toml"),
  "-j2",
  "--",
  "--format",
  "pretty",
];

async function runChecks(): Promise<Outcome> {
  const outcome = newOutcome();
  for (const check of checks) {
    const output = await runCheck(check);
    console.log(`${output === undefined ? "✔" : "✘"} ${check.name}: ${check.summary}`);
    if (output === undefined) outcome.passed += 1;
    else outcome.failed += 1;
    if (output !== undefined) console.log(output);
  }
  return outcome;
}

async function runReported(
  argv: readonly string[],
  read: (line: string, outcome: Outcome) => string | undefined,
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const outcome = newOutcome();
  const [file = "", ...args] = argv;
  const child = execa(file, args, {
    cwd: packagePath(),
    stdin: "ignore",
    buffer: false,
    reject: false,
    // No test is to meet the dialogs of who runs it.
    env: { FORCE_COLOR: "0", DBUS_SESSION_BUS_ADDRESS: "", ...environment },
  });
  const reader = {
    maxLineBytes: 65_536,
    onLine(line: string) {
      const told = read(line, outcome);
      if (told !== undefined) console.log(told);
    },
  };
  // Each by itself: what is said on one does not cut a line of the other in two.
  readLines(child.stdout, reader);
  readLines(child.stderr, reader);
  const { exitCode, signal } = await child;
  // A runner that fails without naming a test, as when a file does not compile, has failed all the same.
  if (exitCode !== 0 && outcome.failed === 0) {
    console.log(`✘ ${file} ended with ${signal ?? `status ${exitCode}`}`);
    outcome.failed += 1;
  }
  return outcome;
}
