// The Debian packages that are needed: which are missing, and their installation.
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { findProgram } from "../find-program.ts";
import { packagePath } from "../paths.ts";
import { runLogged } from "./run-logged.ts";
import { SetupError } from "./setup-error.ts";
import type { Stages } from "./stages.ts";

export type Occasion = "always" | "desktop" | "tests";

interface NeededPackage {
  readonly name: string;
  readonly reason: string;
}

/** Installs what `occasions` need and is missing. Throws where it cannot. */
export async function ensureDebianPackages(occasions: readonly Occasion[], stages: Stages): Promise<void> {
  const needed = parseNeeded(await readFile(packagePath("src", "setup", "debian-packages.txt"), "utf8"), occasions);
  if ((await findProgram("dpkg-query")) === undefined) return checkPrograms(occasions);
  const installed = await listInstalled();
  const missing = needed.filter(({ name }) => !installed.has(name));
  if (missing.length === 0) return;
  const isRoot = process.geteuid?.() === 0;
  stages.say(
    `Debian packages that are missing${isRoot ? "" : "; sudo is used to install them, and for nothing else"}:`,
  );
  for (const { name, reason } of missing) stages.say(`  ${name}: ${reason}`);
  await install(
    missing.map(({ name }) => name),
    isRoot,
    stages,
  );
}

/** Lines `WHEN PACKAGE REASON`. */
export function parseNeeded(text: string, occasions: readonly string[]): NeededPackage[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([a-z]+)\s+(\S+)\s+(.+)$/.exec(line);
    const [, occasion = "", name = "", reason = ""] = match ?? [];
    return match && occasions.includes(occasion) ? [{ name, reason }] : [];
  });
}

async function listInstalled(): Promise<Set<string>> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills these in.
  const { stdout } = await execa("dpkg-query", ["--show", "--showformat", "${db:Status-Status} ${Package}\\n"]);
  return new Set(stdout.split("\n").flatMap((line) => (line.startsWith("installed ") ? [line.slice(10)] : [])));
}

async function install(names: readonly string[], isRoot: boolean, stages: Stages): Promise<void> {
  const byHand = `sudo apt-get install ${names.join(" ")}`;
  if (!isRoot && (await findProgram("sudo")) === undefined) {
    throw new SetupError("Debian packages", "sudo is not installed", `As root: apt-get install ${names.join(" ")}.`);
  }
  // Without a terminal nobody can type a password: better an error than a wait.
  const sudo = isRoot ? [] : process.stdin.isTTY ? ["sudo"] : ["sudo", "-n"];
  if (!isRoot && process.stdin.isTTY) await execa("sudo", ["-v"], { stdio: "inherit", reject: false });
  const apt = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-o", "DPkg::Lock::Timeout=120"];
  const name = "Debian packages";
  await stages.run(name, 40, async (step) => {
    await runLogged(
      { name, argv: [...apt, "update"], hint: "apt-get needs a network and a working sources.list.", mayAsk: true },
      step,
    );
    await runLogged(
      {
        name,
        argv: [...apt, "--no-install-recommends", "install", ...names],
        hint: `By hand: ${byHand}.`,
        mayAsk: true,
      },
      step,
    );
  });
}

const programs: Readonly<Record<Occasion, readonly string[]>> = {
  always: ["bwrap", "mmdebstrap", "newuidmap", "g++"],
  desktop: ["sway", "wtype", "grim"],
  tests: ["foot", "busybox", "ip", "dbus-daemon", "fsck.erofs", "wl-copy"],
};

/** On another distribution nothing is installed: the programs are there, or are named. */
async function checkPrograms(occasions: readonly Occasion[]): Promise<void> {
  const wanted = occasions.flatMap((occasion) => programs[occasion]);
  const found = await Promise.all(wanted.map(findProgram));
  const missing = wanted.filter((_, index) => found[index] === undefined);
  if (missing.length === 0) return;
  const hint =
    "Cloche installs packages on Debian only. Elsewhere: bubblewrap, mmdebstrap, uidmap (shadow) and g++ by your own package manager.";
  throw new SetupError(
    "Debian packages",
    `this is not Debian, and these programs are missing: ${missing.join(", ")}`,
    hint,
  );
}
