// A program of the host that runs in the jail, whose root is another system: with its own loader and libraries, and nothing else of the host.
import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { readLoader } from "./elf.ts";
import type { Bind } from "./process-plan.ts";

export interface HostProgram {
  /** Absolute path on the host, free of symlinks. */
  readonly path: string;
  /** Undefined for a static program. */
  readonly loader: string | undefined;
  readonly libraries: readonly Library[];
}

export interface Library {
  /** What the program asks the loader for: `libc.so.6`. */
  readonly name: string;
  readonly path: string;
}

const timeoutMs = scaled(5_000);

/** Asks the host's own loader what `path` links to. Throws `unsupported` where a library is missing. */
export async function resolveHostProgram(path: string): Promise<HostProgram> {
  const program = await realpath(path);
  const loader = await readLoader(program);
  if (loader === undefined) return { path: program, loader: undefined, libraries: [] };
  const { LD_LIBRARY_PATH } = process.env;
  const env = LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH };
  const list = promisify(execFile)(loader, ["--list", program], { timeout: timeoutMs, env });
  const { stdout } = await list.catch((cause) => {
    throw new ClocheError("unsupported", `${loader} cannot load ${program}`, { cause });
  });
  return { path: program, loader: await realpath(loader), libraries: parseLibraries(stdout, program) };
}

/** Reads `NAME => PATH (ADDRESS)` lines; the loader's own line and the kernel's page have no arrow. */
export function parseLibraries(list: string, program: string): Library[] {
  return list.split("\n").flatMap((line) => {
    const [, name, path] = /^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$/.exec(line) ?? [];
    if (name === undefined || path === undefined) return [];
    // A library that is asked for by its path has no place in the jail's search path.
    if (!path.startsWith("/") || name.includes("/"))
      throw new ClocheError("unsupported", `${program} cannot be loaded: its library ${name} is not found`);
    return [{ name, path }];
  });
}

/** Its directory in the jail: below /run, because the root can have no new mount points. */
const directory = "/run/program";

/** How `program` is started in the jail, and what the jail shows for it. */
export function placeInJail(program: HostProgram): { readonly argv: readonly string[]; readonly binds: Bind[] } {
  const show = (source: string, ...parts: string[]): Bind => ({
    source,
    target: join(directory, ...parts),
    access: "ro",
  });
  const target = join(directory, "bin", basename(program.path));
  const own = show(program.path, "bin", basename(program.path));
  if (program.loader === undefined) return { argv: [target], binds: [own] };
  const libraries = program.libraries.map(({ name, path }) => show(path, "lib", name));
  return {
    argv: [join(directory, "loader"), "--library-path", join(directory, "lib"), target],
    binds: [own, show(program.loader, "loader"), ...libraries],
  };
}
