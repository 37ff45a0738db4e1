// npm start: installs and builds what is missing, then opens foot from a microVM, and says where the time went.
import { findCompositor } from "../display/compositor.ts";
import { ensureDebianPackages, type Occasion } from "./debian.ts";
import { openOnDesktop, photographHeadless } from "./first-window.ts";
import { prepareImages, prepareNative } from "./prepare.ts";
import { describeFailure } from "./setup-error.ts";
import { Stages } from "./stages.ts";

const app = "foot";

async function hasDesktop(): Promise<boolean> {
  return findCompositor().then(
    () => true,
    () => false,
  );
}

async function start(stages: Stages, signal: AbortSignal): Promise<string> {
  const desktop = await hasDesktop();
  const occasions: Occasion[] = desktop ? ["always"] : ["always", "desktop"];
  stages.say(
    `Cloche: Debian packages, native parts, monitor runtime, ${app}'s image, then ${app} in a window${desktop ? "" : " of a headless desktop, for there is no Wayland desktop here"}.
What is there already is kept; the first time takes about 8 minutes on two cores, later ones seconds.`,
  );
  await ensureDebianPackages(occasions, stages);
  await prepareNative(stages, signal);
  await prepareImages([app], stages, signal);
  return desktop ? openOnDesktop(app, stages, signal) : photographHeadless(app, stages, signal);
}

const stages = new Stages();
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => interrupt.abort(new Error(`ended by ${signal}`)));
stages.add("npm packages", Number(process.env.CLOCHE_SETUP_NPM_MS ?? 0));
try {
  const outcome = await start(stages, interrupt.signal);
  console.log(`\n${stages.table()}\n\n${outcome}`);
} catch (error) {
  console.error(`\n${describeFailure(error)}`);
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
}
