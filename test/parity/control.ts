// What a monitor is told while it runs: to pause, to go on, to save its state, and that a device comes or goes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { scaled } from "../../src/deadlines.ts";
import { layOut } from "../../src/instance/directory.ts";
import { logPath } from "../../src/log.ts";
import { nativeDirectory } from "../../src/paths.ts";
import { launchGuest, shellIn, startIn, useFreshDirectories } from "../vm/guest.ts";
import type { Subject } from "./subject.ts";

const id = "foot@control";

/** How many lines a counter in the guest says in that time. */
async function linesIn(ms: number, text: () => string): Promise<number> {
  const before = text().length;
  await delay(ms);
  return text().slice(before).split("\n").length - 1;
}

/** A program that the agent's SIGTERM does not end. */
const countOnConsole = `trap '' TERM; i=0; while sleep 0.2; do i=$((i + 1)); echo "count $i" > /dev/console; done`;

async function countsOnConsole(): Promise<number[]> {
  const text = await readFile(logPath(id), "utf8");
  return [...text.matchAll(/count (\d+)/g)].map(([, count]) => Number(count));
}

/** All counts so far, once one is right. */
async function counted(isRight: (count: number) => boolean): Promise<number[]> {
  while (true) {
    const counts = await countsOnConsole();
    if (counts.some(isRight)) return counts;
    await delay(100);
  }
}

/** The first count beyond the first `known` that is smaller than the one before it. */
async function firstFallen(known: number): Promise<number> {
  while (true) {
    const counts = await countsOnConsole();
    const fallen = counts.findIndex((count, index) => index >= known && count < (counts[index - 1] ?? 0));
    if (fallen >= 0) return counts[fallen] ?? 0;
    await delay(100);
  }
}

export function declareControl({ test, monitor }: Subject): void {
  const launched = async () => {
    const directories = await useFreshDirectories();
    const guest = await launchGuest(id, { monitor: monitor.vmm });
    return { guest, monitorDirectory: layOut(id).monitor, end: () => guest.stop(0).then(directories.remove) };
  };

  test("a paused machine stands still, goes on where it was, and its state can be saved", async (t) => {
    const { guest, monitorDirectory, end } = await launched();
    try {
      const { session, texts } = await startIn(guest, ["sh", "-c", "while sleep 0.1; do echo on; done"]);
      // It ends with the guest.
      session.exited.catch(() => {});
      t.true((await linesIn(scaled(2_000), () => texts().stdout)) > 3);
      await guest.monitor.pause();
      await delay(scaled(500));
      t.is(await linesIn(scaled(1_500), () => texts().stdout), 0);
      if (guest.monitor.snapshots !== undefined) await looksSaved(t, guest.monitor.snapshots, monitorDirectory);
      await guest.monitor.resume();
      t.true((await linesIn(scaled(2_000), () => texts().stdout)) > 3);
    } finally {
      await end();
    }
  });

  test("a saved machine is restored where it was", async (t) => {
    const { guest, monitorDirectory, end } = await launched();
    try {
      const { snapshots } = guest.monitor;
      if (snapshots === undefined) {
        t.not(monitor.vmm, "cloud-hypervisor", "its driver saves nothing");
        return;
      }
      const counter = await startIn(guest, ["sh", "-c", countOnConsole], { user: "root" });
      counter.session.exited.catch(() => {});
      await counted((count) => count > 5);
      await guest.monitor.pause();
      const [saved = 0] = (await countsOnConsole()).slice(-1);
      await looksSaved(t, snapshots, monitorDirectory);
      await guest.monitor.resume();
      const counts = await counted((count) => count > saved + 10);
      await snapshots.restore("/run/monitor/saved");
      // It counts on from where it was, until the agent sees that its link is not what it was, and ends the machine.
      const restored = await firstFallen(counts.length);
      t.true(Math.abs(restored - saved) <= 3, `saved at ${saved}, and restored at ${restored}`);
      await t.throwsAsync(guest.failed);
    } finally {
      await end();
    }
  });

  test("its power button ends the guest's programs, then the machine", async (t) => {
    const { guest, end } = await launched();
    try {
      const script = "trap 'echo bye; exit 7' TERM; echo on; while :; do sleep 0.1; done";
      const { session, texts } = await startIn(guest, ["sh", "-c", script]);
      while (!texts().stdout.includes("on")) await delay(50);
      await guest.monitor.powerDown();
      t.like(await session.exited, { code: 7 });
      t.regex(texts().stdout, /bye/);
      const error = await t.throwsAsync(guest.failed);
      t.regex(error?.message ?? "", /ended/);
    } finally {
      await end();
    }
  });

  test("a virtio-gpu device of ours can be plugged in while the machine runs, and taken away", async (t) => {
    const { guest, monitorDirectory, end } = await launched();
    try {
      const { hotplug } = guest.monitor;
      if (hotplug === undefined) {
        t.not(monitor.vmm, "cloud-hypervisor", "its driver plugs nothing");
        return;
      }
      const socket = join(monitorDirectory, "late");
      const argv = ["--listen", socket, "--wayland", join(monitorDirectory, "nobody"), "--window-mib", "64"];
      const device = spawn(join(nativeDirectory(), "cloche-gpu"), argv, { stdio: "ignore" });
      const ended = once(device, "exit");
      const isThere = () => shellIn(guest, "cat /sys/bus/pci/devices/*/device | grep -c 0x1050");
      t.is(await isThere(), "0");
      while (!(await stat(socket).catch(() => false))) await delay(50);
      const name = await hotplug.add({ kind: "display", socket: "/run/monitor/late" });
      while ((await isThere()) !== "1") await delay(100);
      await hotplug.remove(name);
      while ((await isThere()) !== "0") await delay(100);
      t.deepEqual(await ended, [0, null]);
    } finally {
      await end();
    }
  });
}

/** Saves the paused machine: its memory is there. */
async function looksSaved(
  t: ExecutionContext,
  snapshots: { save(directory: string): Promise<void> },
  monitorDirectory: string,
): Promise<void> {
  await mkdir(join(monitorDirectory, "saved"));
  await snapshots.save("/run/monitor/saved");
  const names = await readdir(join(monitorDirectory, "saved"));
  t.true(names.includes("memory-ranges") && names.includes("state.json"), names.join(" "));
  const { size } = await stat(join(monitorDirectory, "saved", "memory-ranges"));
  t.true(size > 2 ** 27, `${size} bytes of memory`);
}
