// A real application's window: what it draws in a guest is what it draws on the host, pixel by pixel.

import { scaled } from "../../src/deadlines.ts";
import { difference, type Picture } from "../../src/setup/picture.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { contentOf, countColours, keepPicture, type TestDesktop } from "../support/desktop.ts";
import { colours, footArguments } from "./foot.ts";
import type { Subject } from "./subject.ts";

const windowDeadlineMs = 60_000;
const pictureDeadlineMs = 60_000;
/** Letters are the same, but two versions of foot may round the edges of theirs otherwise. */
const alike = { share: 0.002, tolerance: 64 };

const has = (appId: string) => (window: SwayNode) => window.app_id === appId;

/** What the only window shows, once it has drawn. */
async function drawnBy(desktop: TestDesktop, appId: string): Promise<{ window: SwayNode; picture: Picture }> {
  await desktop.waitForWindow(has(appId), scaled(windowDeadlineMs));
  await desktop.settledPicture(scaled(pictureDeadlineMs));
  // Sway gives a window its place only after it has told of it.
  const window = await desktop.waitForWindow(has(appId), scaled(windowDeadlineMs));
  const isDrawn = (picture: Picture) => countColours(contentOf(picture, window)) > 4;
  const whole = await desktop.settledPicture(scaled(pictureDeadlineMs), isDrawn);
  return { window, picture: contentOf(whole, window) };
}

/** How many pixels have exactly that colour. */
function count({ pixels }: Picture, [red = 0, green = 0, blue = 0]: readonly number[]): number {
  let found = 0;
  for (let at = 0; at < pixels.length; at += 3)
    if (pixels[at] === red && pixels[at + 1] === green && pixels[at + 2] === blue) found += 1;
  return found;
}

export function declareWindow({ test, monitor, world, second }: Subject): void {
  test("what foot draws in a guest is what it draws on the host, and its window bears the instance's name", async (t) => {
    const { desktop } = await world();
    const guest = await second();
    const { window, picture: actual } = await drawnBy(desktop, "cloche.foot.second");
    t.regex(window.name ?? "", /^\[foot@second\] /);
    t.truthy((await guest.state()).renderer);

    await desktop.sway.run('[app_id="cloche.foot.second"] move to workspace guest');
    const direct = desktop.start(["foot", ...footArguments]);
    const { picture: expected } = await drawnBy(desktop, "foot");
    direct.kill();
    await direct;

    const differing = difference(expected, actual, alike.tolerance);
    const paths = [await keepPicture("parity-host", expected), await keepPicture(`parity-${monitor.name}`, actual)];
    t.true(differing <= alike.share, `${(differing * 100).toFixed(2)} % of the pixels differ: ${paths.join(" ")}`);
    for (const [name, colour] of Object.entries(colours).filter(([key]) => key !== "background"))
      t.is(count(actual, colour), count(expected, colour), `pixels of the ${name} bar: ${paths.join(" ")}`);
    t.log(`${(differing * 100).toFixed(3)} % of the pixels differ`);
  });
}
