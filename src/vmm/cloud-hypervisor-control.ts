// A cloud-hypervisor that runs: its events say how it is, its API takes commands.
import { join } from "node:path";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { CloudHypervisorApi } from "./cloud-hypervisor-api.ts";
import { type MonitorEvent, readEvents } from "./cloud-hypervisor-events.ts";
import { controlStream, type MonitorAccess, type MonitorControl } from "./contract.ts";
import { within } from "./deadline.ts";

/** Its API's socket in the monitor's directory. */
export const apiSocketName = "api";

/** Milliseconds from its start until the guest's first instruction; it loads the kernel before. */
const defaultBootTimeoutMs = scaled(20_000);

/** Resolves when the guest runs. Throws `protocol` for what is no event, `monitor-failed` where it ends or says nothing. */
export async function controlCloudHypervisor(
  access: MonitorAccess,
  bootTimeoutMs = defaultBootTimeoutMs,
): Promise<MonitorControl> {
  const stream = controlStream(access);
  const booted = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  booted.promise.catch(() => {});
  const api = new CloudHypervisorApi(join(access.directory, apiSocketName));
  const end = (error: ClocheError) => {
    booted.reject(error);
    api.close();
    stream.destroy();
  };

  readEvents(stream, {
    onEvent(event) {
      if (isEvent(event, "vm", "booted")) booted.resolve();
      // It has no option not to start the guest again.
      if (isEvent(event, "vm", "rebooting")) ended.resolve("the guest restarted");
    },
    onBroken: () => {
      ended.resolve("cloud-hypervisor sent something that is not an event");
      end(new ClocheError("protocol", "cloud-hypervisor sent something that is not an event"));
    },
  });
  stream.on("error", (cause) => end(new ClocheError("monitor-failed", "cloud-hypervisor's events failed", { cause })));
  stream.on("close", () => end(new ClocheError("monitor-failed", "cloud-hypervisor closed its events")));
  access.signal.addEventListener("abort", () => end(new ClocheError("interrupted", "the launch was given up")), {
    once: true,
  });

  await within(
    booted.promise,
    bootTimeoutMs,
    () => `cloud-hypervisor did not boot the guest in ${bootTimeoutMs / 1000} s`,
  );
  return {
    guestEnded: ended.promise,
    snapshots: api,
    hotplug: api,
    powerDown: api.powerButton,
    pause: api.pause,
    resume: api.resume,
    quit: api.shutDown,
  };
}

const isEvent = ({ source, event }: MonitorEvent, wantedSource: string, wanted: string): boolean =>
  source === wantedSource && event === wanted;
