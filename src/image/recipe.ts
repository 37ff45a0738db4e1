// The recipes of vm-images: text files of which a digest says whether what was built from them is still current.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { packagePath } from "../paths.ts";

/** Raised where the code that builds the part changes what comes out of the same recipe. */
const builderVersions = { runtime: 1, kernel: 2, root: 1, guest: 1 };

/** Seconds since 1970. The time of every file in an image, so that the same packages give the same bytes. */
export const imageTime = 1_735_689_600;

/** The items of a list file: one a line, `#` begins a comment. */
export function parseList(text: string): string[] {
  return text.split("\n").flatMap((line) => line.replace(/#.*/, "").trim() || []);
}

export const readRecipe = (...parts: string[]): Promise<string> => readFile(packagePath("vm-images", ...parts), "utf8");

/** SHA-256, in hex, of what the part is made from and of its builder's version. */
export function digestOfInputs(part: keyof typeof builderVersions, ...inputs: readonly unknown[]): string {
  const all = [builderVersions[part], part, ...inputs];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex");
}
