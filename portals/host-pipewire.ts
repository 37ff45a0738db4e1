// The host's own PipeWire, as a program: a client of another version does not always understand its daemon.
import { access, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findProgram } from "../src/find-program.ts";

export interface HostPipeWire {
  /** Absolute path, free of symlinks. */
  readonly program: string;
  /** The directory of its modules. */
  readonly modules: string;
}

/** Undefined where the host has none, and so no video. */
export async function findHostPipeWire(): Promise<HostPipeWire | undefined> {
  const found = await findProgram("pipewire");
  if (found === undefined) return undefined;
  const program = await realpath(found);
  const prefix = dirname(dirname(program));
  for (const libraries of ["lib/x86_64-linux-gnu", "lib64", "lib"]) {
    const modules = join(prefix, libraries, "pipewire-0.3");
    const module = join(modules, "libpipewire-module-protocol-native.so");
    if (
      await access(module).then(
        () => true,
        () => false,
      )
    )
      return { program, modules };
  }
  return undefined;
}
