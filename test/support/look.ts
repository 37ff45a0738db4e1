// Looking at one window until it shows what it should.
import { scaled } from "../../src/deadlines.ts";
import { difference, type Picture } from "../../src/setup/picture.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";
import { contentOf, countColours, type TestDesktop } from "./desktop.ts";

const deadlineMs = scaled(60_000);
/** A caret that blinks changes less of a window than this. */
export const caretShare = 0.001;
/** How long a window has to stay as it is to count as drawn. */
const stillMs = scaled(1_000);

/** What the window with that identifier shows now; undefined where it is gone. */
async function contentNow(desktop: TestDesktop, id: number): Promise<Picture | undefined> {
  const window = await find(desktop, id);
  return window && contentOf(await desktop.picture(), window);
}

/** The first content that `accepts`. Throws with the last that was seen, as `keep` names it. */
export async function contentWhen(
  desktop: TestDesktop,
  id: number,
  accepts: (content: Picture) => boolean,
): Promise<Picture> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const content = await contentNow(desktop, id);
    if (content && accepts(content)) return content;
    if (performance.now() > deadline) throw new Error("the window did not come to show what it should");
  }
}

/** Waits until a window has drawn something and then hardly changes. */
export async function drawn(desktop: TestDesktop, id: number): Promise<Picture> {
  let last: { content: Picture; since: number } | undefined;
  return contentWhen(desktop, id, (content) => {
    const now = performance.now();
    const isSame = last && difference(last.content, content) <= caretShare && countColours(content) > 1;
    if (last && isSame) return now - last.since >= stillMs;
    last = { content, since: now };
    return false;
  });
}

/** Sizes differ, or more than `share` of the pixels: `different`. */
export const isLike = (one: Picture, other: Picture, share = caretShare, tolerance = 0): boolean =>
  difference(one, other, tolerance) <= share;

const find = async (desktop: TestDesktop, id: number): Promise<SwayNode | undefined> =>
  (await desktop.sway.windows()).find((window) => window.id === id);
