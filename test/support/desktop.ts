// A headless desktop of an ordinary user's own, for tests that look at windows.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stateDirectory } from "../../src/paths.ts";
import { type HeadlessDesktop, startHeadlessDesktop } from "../../src/setup/headless-desktop.ts";
import { becomeOrdinary, type OrdinaryUser } from "../../src/setup/ordinary-user.ts";
import { crop, encodePng, type Picture } from "../../src/setup/picture.ts";
import type { SwayNode } from "../../src/setup/sway-connection.ts";

export interface TestDesktop extends HeadlessDesktop {
  readonly user: OrdinaryUser;
}

/** Sway, and the user that it runs as; both end with the returned object. */
export async function startDesktop(): Promise<TestDesktop> {
  await using cleanup = new AsyncDisposableStack();
  const user = cleanup.use(await becomeOrdinary());
  const desktop = cleanup.use(await startHeadlessDesktop(user));
  const resources = cleanup.move();
  return { ...desktop, user, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** What the application has drawn: the window without the compositor's title bar and border. */
export const contentOf = (picture: Picture, { rect, window_rect: inner }: SwayNode): Picture =>
  crop(picture, { ...inner, x: rect.x + inner.x, y: rect.y + inner.y });

/** The number of different colours, at most `limit`: 1 is an empty window. */
export function countColours({ pixels }: Picture, limit = 64): number {
  const colours = new Set<number>();
  for (let at = 0; at < pixels.length && colours.size < limit; at += 3) colours.add(pixels.readUIntBE(at, 3));
  return colours.size;
}

/** The mean of all samples, 0 to 255. */
export const brightness = ({ pixels }: Picture): number =>
  pixels.reduce((sum, sample) => sum + sample, 0) / pixels.length;

/** Keeps a picture for whoever looks at a failed test; returns its path. */
export async function keepPicture(name: string, picture: Picture): Promise<string> {
  const directory = join(stateDirectory(), "test-pictures");
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${name}.png`);
  await writeFile(path, encodePng(picture));
  return path;
}
