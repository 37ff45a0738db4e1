// What the user denies while an instance runs, as it happens.
import { mkdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { watch } from "chokidar";
import { isPermission, readSettings, settingsPath } from "./permissions.ts";
import type { Permission } from "./portal.ts";

/**
 * Tells what is denied, whenever the user has changed what is set. Ready when no change is missed.
 * Where it can't be watched (inotify's limits), `fail` is told, and what is set counts from the next call on only.
 */
export async function followDenials(
  instance: string,
  heed: (denied: ReadonlySet<Permission>) => void,
  fail: (error: unknown) => void,
): Promise<AsyncDisposable> {
  const path = settingsPath(instance);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(fail);
  const watcher = watch(dirname(path), {
    depth: 0,
    ignoreInitial: true,
    ignored: (found, stats) => stats?.isFile() === true && basename(found) !== basename(path),
  });
  const look = async () => {
    const settings = await readSettings(instance);
    const names = Object.keys(settings).filter(isPermission);
    heed(new Set(names.filter((name) => settings[name] === "deny")));
  };
  // A file that cannot be read allows nothing: every call says so.
  watcher.on("all", () => void look().catch(() => {}));
  await new Promise<void>((resolve) => {
    watcher.once("ready", resolve);
    watcher.on("error", (error) => {
      fail(error);
      resolve();
    });
  });
  return { [Symbol.asyncDispose]: () => watcher.close() };
}
