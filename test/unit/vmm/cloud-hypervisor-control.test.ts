import { type Duplex, duplexPair } from "node:stream";
import test from "ava";
import { controlCloudHypervisor } from "../../../src/vmm/cloud-hypervisor-control.ts";

const eventText = (source: string, event: string) => `${JSON.stringify({ source, event, properties: null })}\n\n`;
const never = new AbortController().signal;

const control = (stream: Duplex, signal = never) =>
  controlCloudHypervisor({ stream, signal, directory: "/nonexistent", command: async () => {} }, 200);

test("it is up when the guest boots, and not before", async (t) => {
  const [ours, theirs] = duplexPair();
  const up = control(ours);
  theirs.write(eventText("vmm", "starting") + eventText("vm", "booting"));
  const early = await Promise.race([up, new Promise((resolve) => setTimeout(() => resolve("not yet"), 50))]);
  t.is(early, "not yet");
  theirs.write(eventText("vm", "booted"));
  const { snapshots, hotplug } = await up;
  t.truthy(snapshots);
  t.truthy(hotplug);
});

test("a guest that never boots is given up", async (t) => {
  const [ours] = duplexPair();
  t.like(await t.throwsAsync(control(ours)), { code: "monitor-failed" });
});

test("giving up ends the wait", async (t) => {
  const [ours] = duplexPair();
  t.like(await t.throwsAsync(control(ours, AbortSignal.timeout(20))), { code: "interrupted" });
});

for (const [what, text, words] of [
  ["restarts", eventText("vm", "rebooting"), "the guest restarted"],
  ["is followed by what is no event", "QMP\n\n", "cloud-hypervisor sent something that is not an event"],
] as const) {
  test(`a guest that ${what} has ended`, async (t) => {
    const [ours, theirs] = duplexPair();
    const up = control(ours);
    theirs.write(eventText("vm", "booted"));
    const { guestEnded } = await up;
    theirs.write(text);
    t.is(await guestEnded, words);
  });
}

test("without its descriptor nothing is waited for", async (t) => {
  const access = { stream: undefined, signal: never, directory: "/nonexistent", command: async () => {} };
  t.like(await t.throwsAsync(controlCloudHypervisor(access)), { code: "state" });
});
