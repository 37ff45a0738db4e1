// Colour for terminals that show it and users who want it (no-color.org).
import { styleText } from "node:util";

export type Format = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
export type Style = (format: Format, text: string) => string;

export const plainStyle: Style = (_format, text) => text;
export const colourStyle: Style = (format, text) => styleText(format, text, { validateStream: false });

export function styleFor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Style {
  const wanted = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
  return wanted ? colourStyle : plainStyle;
}
