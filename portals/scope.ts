// The scope of one instance in the user's systemd: by its name, portals that can't be told who speaks tell applications apart, and so does whoever looks at
// what runs (systemd.io/DESKTOP_ENVIRONMENTS, "XDG standardization for applications").
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Bus, BusError, Variant } from "./bus.ts";

/** Milliseconds for systemd to answer, and then to move the process. */
const answerTimeoutMs = 3_000;
const moveTimeoutMs = 1_000;

/** `app-cloche-dev.cloche.foot-1234.scope`: what has a meaning in a unit's name is written as `\x` and two hex digits. */
export function scopeName(appId: string, pid: number): string {
  const escaped = appId.replaceAll(/[^A-Za-z0-9_.]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
  return `app-cloche-${escaped}-${pid}.scope`;
}

/** Moves this process, and so all that it starts, to a scope of its own. Where there is no systemd, or it does not want to, all stays as it is; returns whether it did. */
export async function enterScope(bus: Bus, appId: string): Promise<boolean> {
  const name = scopeName(appId, process.pid);
  try {
    await bus.call({
      destination: "org.freedesktop.systemd1",
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member: "StartTransientUnit",
      signature: "ssa(sv)a(sa(sv))",
      body: [name, "fail", properties(appId), []],
      timeoutMs: answerTimeoutMs,
    });
  } catch (error) {
    if (error instanceof BusError) return false;
    throw error;
  }
  const deadline = performance.now() + moveTimeoutMs;
  while (performance.now() < deadline) {
    if ((await readFile("/proc/self/cgroup", "utf8")).includes(`/${name}`)) return true;
    await delay(5);
  }
  return false;
}

const properties = (appId: string): [string, Variant][] => [
  ["Description", new Variant("s", `Cloche: ${appId}`)],
  ["Slice", new Variant("s", "app.slice")],
  ["CollectMode", new Variant("s", "inactive-or-failed")],
  ["PIDs", new Variant("au", [process.pid])],
];
