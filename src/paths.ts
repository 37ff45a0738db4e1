// Where things are: the package's own files, and the user's directories (XDG Base Directory Specification).
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClocheError } from "./errors.ts";

/** The package: a checkout, or where npm put it. One bundled file lies in dist/, the sources in src/. */
const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** A file or directory of the package, such as `vm-images/apps`. */
export const packagePath = (...parts: string[]): string => join(packageRoot, ...parts);

/** The directory of the native parts: `cloche-guest`, `cloche-lens`, `vhost-device-vsock` and the two addons. */
export const nativeDirectory = (): string => process.env.CLOCHE_NATIVE_DIR ?? packagePath("native", "dist");

const xdg = (variable: string, ...fallback: string[]): string => {
  const value = process.env[variable];
  // The specification: a relative path is to be ignored.
  return join(value?.startsWith("/") ? value : join(homedir(), ...fallback), "cloche");
};

export const configDirectory = (): string => xdg("XDG_CONFIG_HOME", ".config");
export const dataDirectory = (): string => xdg("XDG_DATA_HOME", ".local", "share");
/** A part of the user's cache. */
export const cacheDirectory = (part: string): string => join(xdg("XDG_CACHE_HOME", ".cache"), part);
export const stateDirectory = (): string => xdg("XDG_STATE_HOME", ".local", "state");

/** `$XDG_RUNTIME_DIR/cloche`: sockets and what is running. Throws `state` where the session has no such directory. */
export function runtimeDirectory(): string {
  const directory = process.env.XDG_RUNTIME_DIR;
  if (!directory?.startsWith("/")) {
    throw new ClocheError("state", "XDG_RUNTIME_DIR is not set", {
      hint: "A desktop session sets it; elsewhere name a directory that only you can enter, for example /run/user/1000.",
    });
  }
  return join(directory, "cloche");
}
