// Applications of the catalogue by their own manifests: the window comes, is filled, and closing it ends the application.
import test from "ava";
import { scaled } from "../../src/deadlines.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { countColours, keepPicture, startDesktop } from "../support/desktop.ts";
import { contentWhen } from "../support/look.ts";
import { clocheIn, monitor } from "../support/machine.ts";

/** A browser starts that slowly on emulated CPUs. */
const windowDeadlineMs = scaled(400_000);

const desktop = await startDesktop();
test.after.always(() => desktop[Symbol.asyncDispose]());

for (const [name, toolkit] of [
  ["gnome-text-editor", "GTK 4"],
  ["featherpad", "Qt 6"],
  ["nedit", "X11"],
  ["firefox-esr", "Firefox's own"],
] as const) {
  test.serial(`${name} (${toolkit}) opens its window, and ends when that is closed`, async (t) => {
    const running = desktop.start([clocheIn(desktop), "run", name, "--temp", "--vmm", monitor]);
    const over = new AbortController();
    running.then(({ exitCode, stderr }) => over.abort(new Error(`cloche run ended with ${exitCode}: ${stderr}`)));
    const isOurs = ({ app_id }: SwayNode) => app_id === `cloche.${name}`;
    const { id, name: title } = await desktop.waitForWindow(isOurs, windowDeadlineMs, over.signal);
    t.true(title?.startsWith(`[${name}] `), title ?? "no title");
    const content = await contentWhen(desktop, id, (picture) => countColours(picture) > 8);
    await keepPicture(`catalogue-${name}`, content);
    await desktop.sway.run(`[con_id=${id}] kill`);
    t.is((await running).exitCode, 0);
  });
}
