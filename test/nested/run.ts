// node test/nested/run.ts [--stop | [--timeout SECONDS] FILE.test.ts… | -- COMMAND…]: test files, or a command, where KVM works.
import { constants } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { packagePath } from "../../src/paths.ts";
import { describeFailure } from "../../src/setup/setup-error.ts";
import { Stages } from "../../src/setup/stages.ts";
import { avaArgv } from "../ava.ts";
import type { Exit } from "./frames.ts";
import { endNested, runWithKvm } from "./kvm-machine.ts";

const testTimeoutSeconds = 1_200;

const { values, positionals, tokens } = parseArgs({
  allowPositionals: true,
  tokens: true,
  options: {
    stop: { type: "boolean", default: false },
    timeout: { type: "string", default: "0" },
    cpus: { type: "string", default: "1" },
    memory: { type: "string", default: "6144" },
  },
});
const size = { cpus: Number(values.cpus), memoryMib: Number(values.memory) };
const isCommand = tokens.some(({ kind }) => kind === "option-terminator");
const argv = isCommand
  ? positionals
  : avaArgv(
      positionals.map((file) => resolve(file)),
      1,
      testTimeoutSeconds,
    );

function statusOf({ code, signal, isLate }: Exit): number {
  if (isLate) console.error(`nested: ended after ${values.timeout} s`);
  return code ?? 128 + constants.signals[signal ?? "SIGKILL"];
}

try {
  if (values.stop) await endNested(size);
  if (positionals.length > 0) {
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    const exit = await runWithKvm(
      {
        argv,
        directory: isCommand ? process.cwd() : packagePath(),
        environment: process.env,
        timeoutSeconds: Number(values.timeout),
      },
      {
        input: process.stdin,
        output: process.stdout,
        errors: process.stderr,
        onStart: (send) => {
          for (const signal of signals) process.on(signal, () => send(signal));
        },
      },
      new Stages(process.stderr),
      size,
    );
    process.exitCode = statusOf(exit);
  }
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 125;
}
