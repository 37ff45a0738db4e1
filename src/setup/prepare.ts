// What has to be there before anything can run: native parts, the monitor runtime, the images of applications.
import { findApp } from "../app/catalogue.ts";
import type { Manifest } from "../app/manifest.ts";
import { packagePath } from "../paths.ts";
import { runLogged } from "./run-logged.ts";
import { checkRust } from "./rust.ts";
import type { Stages } from "./stages.ts";

/** Builds the native parts that changed. */
export async function prepareNative(stages: Stages, signal?: AbortSignal): Promise<void> {
  await checkRust();
  await stages.run("Native parts", 240, (step) =>
    runLogged(
      {
        name: "Native parts",
        argv: [process.execPath, packagePath("native", "build.ts"), "all"],
        hint: "The lines above are the compiler's own.",
        ...(signal && { signal }),
      },
      step,
    ),
  );
}

/** Builds the runtime and the images of `apps` that are missing or out of date. */
export async function prepareImages(
  apps: readonly string[],
  stages: Stages,
  signal?: AbortSignal,
  find: (id: string) => Promise<Manifest> = findApp,
): Promise<void> {
  // These load the addons, which the step before may just have built.
  const { ensureRuntime } = await import("../image/runtime.ts");
  const { ensureImage } = await import("../image/build.ts");
  const { openStore } = await import("../image/store.ts");
  await stages.run("Monitor runtime and images", undefined, async () => {
    const context = { store: await openStore(), progress: stages, ...(signal && { signal }) };
    await ensureRuntime(context);
    for (const app of apps) {
      const { id, packages } = await find(app);
      await ensureImage({ name: id, packages: [...packages] }, context);
    }
  });
}
