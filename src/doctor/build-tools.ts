// What building images takes, besides what running them does.
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { findProgram } from "../find-program.ts";
import type { Finding } from "./finding.ts";

const tools: readonly { readonly program: string; readonly remedy: string }[] = [
  { program: "mmdebstrap", remedy: "apt install mmdebstrap" },
  { program: "flock", remedy: "apt install util-linux" },
  { program: "cargo", remedy: "install Rust with rustup (only for building Cloche itself)" },
];

export async function checkBuildTools(): Promise<Omit<Finding, "name">> {
  const found = await Promise.all(tools.map(async (tool) => ({ ...tool, path: await findProgram(tool.program) })));
  const missing = found.filter(({ path }) => path === undefined);
  if (missing.length === 0)
    return { verdict: "ok", text: `${tools.map(({ program }) => program).join(", ")} are there` };
  return {
    verdict: "warn",
    text: `not on PATH: ${missing.map(({ program }) => program).join(", ")}`,
    hint: `On Debian: ${missing.map(({ remedy }) => remedy).join("; ")}.`,
  };
}

/** Ids that a root file system of several users takes. */
const neededIds = 65_536;

export async function checkSubordinateIds(): Promise<Omit<Finding, "name">> {
  if (process.geteuid?.() === 0) return { verdict: "ok", text: "not needed by root" };
  const { username, uid } = userInfo();
  const files = await Promise.all(["/etc/subuid", "/etc/subgid"].map((file) => readFile(file, "utf8").catch(() => "")));
  const hint = `sudo apt install uidmap; sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`;
  if (!files.every((text) => countIds(text, [username, String(uid)]) >= neededIds))
    return { verdict: "warn", text: `${username} has too few in /etc/subuid or /etc/subgid to build images`, hint };
  const helpers = await Promise.all(["newuidmap", "newgidmap"].map(findProgram));
  if (helpers.includes(undefined)) return { verdict: "warn", text: "newuidmap or newgidmap is not on PATH", hint };
  return { verdict: "ok", text: `enough for ${username} to build images` };
}

/** The longest range of subuid(5) lines of that user, by any of the two names. */
export function countIds(text: string, names: readonly string[]): number {
  const lines = text.split("\n").map((line) => line.trim().split(":"));
  return Math.max(0, ...lines.filter(([name = ""]) => names.includes(name)).map(([, , count]) => Number(count) || 0));
}
