// npm run check [-- NAME…]: runs every check, or those named, and fails where one does.
import { checkRust } from "../../src/setup/rust.ts";
import { checks, runCheck } from "./checks.ts";

await checkRust();
const names = process.argv.slice(2);
for (const check of checks.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const started = performance.now();
  const output = await runCheck(check);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${output === undefined ? "✔" : "✘"} ${check.name}: ${check.summary} (${seconds} s)`);
  if (output !== undefined) {
    console.log(output);
    process.exitCode = 1;
  }
}
