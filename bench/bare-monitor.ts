// The reference of the launch bench: the monitor's own command line, started bare, to the agent's `ready`.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as fdpass from "../native/fdpass/index.ts";
import { planInstance } from "../src/instance/plan.ts";
import type { Prepared } from "../src/instance/request.ts";
import type { JailHost } from "../src/jail/bwrap.ts";
import type { ProcessPlan } from "../src/jail/process-plan.ts";
import { listening, startProcess } from "../src/jail/processes.ts";
import { listenForAgent } from "../src/link/control.ts";
import { linkSocket } from "../src/link/vsock-device.ts";

/** Starts the link's device and the monitor with no supervisor and no jail but the root that holds QEMU; returns milliseconds. */
export async function timeBareMonitor(prepared: Prepared, directory: string): Promise<number> {
  const own = { link: join(directory, "link"), monitor: join(directory, "monitor") };
  for (const part of Object.values(own)) await mkdir(part, { recursive: true });
  const parts = { ...own, path: directory, display: "", gpu: "", files: "", network: "", lockPath: "" };
  const plan = planInstance(prepared.spec, undefined, parts, prepared.selection.driver, prepared.facts);
  // A monitor with a link of its own takes no other process.
  const [vsockPlan] = plan.helpers;
  const listener = await listenForAgent(linkSocket(parts.link), () => {});
  const [ours, theirs] = fdpass.socketpair();

  const start = performance.now();
  const vsock = vsockPlan && startProcess(vsockPlan, prepared.jail, () => {});
  if (vsockPlan && vsock) await listening(vsockPlan, vsock);
  const monitor = startBare(plan.monitor.process, prepared.jail, theirs);
  const agent = await listener.agent;
  await agent.hello();
  await agent.configure({
    hostname: "bare",
    machineId: "0".repeat(32),
    clockUnixNs: String(BigInt(Date.now()) * 1_000_000n),
    seed: randomBytes(64).toString("base64"),
    mounts: [],
    windows: false,
    portals: false,
    network: null,
    environment: {},
  });
  const ms = performance.now() - start;

  monitor.kill("SIGKILL");
  await once(monitor, "exit");
  await vsock?.kill();
  listener.close();
  for (const fd of [ours, theirs]) fdpass.close(fd);
  await rm(directory, { recursive: true });
  return ms;
}

function startBare(plan: ProcessPlan, jail: JailHost, control: number): ChildProcess {
  const binds = plan.binds.flatMap(({ source, target, access }) => [
    access === "ro" ? "--ro-bind" : "--dev-bind",
    source,
    target,
  ]);
  const root = [
    "--ro-bind",
    jail.runtimeRoot,
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/run",
  ];
  const empty = (plan.emptyDirectories ?? []).filter((path) => path.startsWith("/run/"));
  const made = empty.flatMap((path) => ["--dir", path]);
  const argv = ["--die-with-parent", ...root, ...binds, ...made, "--", ...plan.argv];
  return spawn(jail.bwrap, argv, { stdio: ["ignore", "ignore", "inherit", control] });
}
