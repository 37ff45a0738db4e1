// Keys for X11 programs.
import type { TestDesktop } from "./desktop.ts";

/** Each wtype is a keyboard with a keymap of its own; X11 programs look at it only after the keys, so it has to stay. */
export const pressInX11 = (desktop: Pick<TestDesktop, "press">, ...keys: string[]) =>
  desktop.press("-s", "1000", ...keys, "-s", "3000");
