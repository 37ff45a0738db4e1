// Where Cloche writes: the session's runtime directory, and the disk of the images.
import { access, constants, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { runtimeDirectory } from "../paths.ts";
import type { Finding } from "./finding.ts";

/** Bytes of a Unix socket's path, and of the longest that stands below the runtime directory. */
const maxSocketPath = 107;
const longestBelow = 70;

/** Throws `state` where the session has none. */
export async function checkRuntimeDirectory(): Promise<Omit<Finding, "name">> {
  const path = dirname(runtimeDirectory());
  const hint = "A login session makes it: /run/user/UID, mode 0700, yours.";
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return { verdict: "fail", text: `${path} is not a directory`, hint };
  if (found.uid !== process.getuid?.()) return { verdict: "fail", text: `${path} belongs to another user`, hint };
  await access(path, constants.W_OK);
  if ((found.mode & 0o077) !== 0)
    return { verdict: "fail", text: `others can enter ${path}`, hint: `chmod 700 ${path}` };
  if (path.length + longestBelow > maxSocketPath)
    return { verdict: "warn", text: `${path} is so long that names of instances have to be short`, hint };
  return { verdict: "ok", text: path };
}

const warnBytes = 4 * 2 ** 30;
const failBytes = 2 ** 30;

export async function checkDisk(): Promise<Omit<Finding, "name">> {
  const { openStore } = await import("../image/store.ts");
  const { own } = await openStore();
  const { bavail, bsize } = await statfs(await existingPart(own));
  const free = bavail * bsize;
  const text = `${(free / 2 ** 30).toFixed(1)} GiB free for images in ${own}`;
  if (free >= warnBytes) return { verdict: "ok", text };
  return {
    verdict: free < failBytes ? "fail" : "warn",
    text,
    hint: "An image and the runtime take up to 4 GiB while they are built: make room, or set CLOCHE_STORE.",
  };
}

/** The path, or the nearest directory above it that exists. */
async function existingPart(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found || path === "/" ? path : existingPart(dirname(path));
}
