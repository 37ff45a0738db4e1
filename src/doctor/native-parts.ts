// The native parts: there, and of a kind that this machine loads.
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { nativeDirectory } from "../paths.ts";
import type { Finding } from "./finding.ts";

const executables = ["cloche-guest", "cloche-lens", "vhost-device-vsock"];
const hint = "Build them: npm run build.";

export async function checkNativeParts(): Promise<Omit<Finding, "name">> {
  const directory = nativeDirectory();
  const missing: string[] = [];
  for (const name of executables) await access(join(directory, name), constants.X_OK).catch(() => missing.push(name));
  if (missing.length > 0) return { verdict: "fail", text: `${missing.join(", ")} not in ${directory}`, hint };
  try {
    await useAddons();
  } catch (error) {
    return { verdict: "fail", text: `an addon does not load: ${messageOf(error)}`, hint };
  }
  return { verdict: "ok", text: `all there, and the addons load, in ${directory}` };
}

/** One call of each that cannot work by chance. */
async function useAddons(): Promise<void> {
  const bindings = await import("../../native/bindings/index.ts");
  const fdpass = await import("../../native/fdpass/index.ts");
  if (bindings.processStartTime(process.pid) === null) throw new Error("bindings does not find its own process");
  for (const fd of fdpass.socketpair()) fdpass.close(fd);
}
