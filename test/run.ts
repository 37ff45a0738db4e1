// npm test [-- SUITE… nested:FILE…]: does all of the set-up, runs the suites, and ends with `N passed, N failed, N skipped`.
import { ensureDebianPackages, type Occasion } from "../src/setup/debian.ts";
import { prepareImages, prepareNative } from "../src/setup/prepare.ts";
import { describeFailure } from "../src/setup/setup-error.ts";
import { Stages } from "../src/setup/stages.ts";
import { addOutcome, newOutcome, summary } from "./outcome.ts";
import { runSuite } from "./run-suite.ts";
import { findSuite, listSuites, type Suite } from "./suites.ts";
import { findTestApp } from "./support/test-apps.ts";

const selectSuites = (names: readonly string[]): Suite[] =>
  names.length === 0 ? listSuites().filter(({ isOnRequest }) => !isOnRequest) : names.map((name) => findSuite(name));

async function prepare(suites: readonly Suite[], stages: Stages): Promise<void> {
  const occasions: Occasion[] = [
    "always",
    "tests",
    ...(suites.some(({ needsDesktop }) => needsDesktop) ? (["desktop"] as const) : []),
  ];
  await ensureDebianPackages(occasions, stages);
  await prepareNative(stages);
  const images = [...new Set(suites.flatMap((suite) => suite.images))];
  if (images.length > 0) await prepareImages(images, stages, undefined, findTestApp);
}

const outcome = newOutcome();
const stages = new Stages(process.stdout);
stages.add("npm packages", Number(process.env.CLOCHE_SETUP_NPM_MS ?? 0));
try {
  const suites = selectSuites(process.argv.slice(2));
  await prepare(suites, stages);
  for (const suite of suites) {
    console.log(`\n${suite.name}`);
    const started = performance.now();
    addOutcome(outcome, await runSuite(suite));
    stages.add(suite.name, performance.now() - started);
  }
} catch (error) {
  console.log(`\n${describeFailure(error)}`);
  outcome.failed += 1;
} finally {
  // Loaded here: it takes the addons, which the run may have had to build.
  const { endNested } = await import("./nested/kvm-machine.ts");
  await endNested();
}
console.log(`\n${stages.table()}\n\n${summary(outcome)}`);
process.exitCode = outcome.failed === 0 ? 0 : 1;
