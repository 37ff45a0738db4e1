// A machine and its helpers, from the first process to the agent's `ready`, and back to nothing.

import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import * as fdpass from "../../native/fdpass/index.ts";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import type { JailHost } from "../jail/bwrap.ts";
import type { ProcessPlan } from "../jail/process-plan.ts";
import { type HelperProcess, type LineSink, listening, startProcess, untimelyEnd } from "../jail/processes.ts";
import { type Agent, listenForAgent, type Ready } from "../link/control.ts";
import type { Configuration } from "../link/protocol.ts";
import { linkSocket } from "../link/vsock-device.ts";
import type { MonitorControl, MonitorDriver, MonitorPlan } from "../vmm/contract.ts";
import { Console } from "./console.ts";
import type { InstanceDirectory } from "./directory.ts";
import type { Janitor } from "./janitor.ts";
import type { InstancePlan } from "./plan.ts";
import type { Stopwatch } from "./timing.ts";

const readyTimeoutMs = scaled(30_000);
/** Milliseconds that a guest gets beyond its grace to sync and power off. */
const powerOffMs = scaled(4_000);

/** Milliseconds that one command to a monitor may take. */
const commandTimeoutMs = scaled(10_000);

/** Milliseconds after an end in which a more telling one may follow: the monitor's after a helper's, either's after the link's. */
const settleMs = { helper: 1_000, link: 2_000 };

export interface MachineHost {
  readonly jail: JailHost;
  readonly driver: MonitorDriver;
  readonly log: LineSink;
  readonly stopwatch: Stopwatch;
  /** Aborted when the user gives up. */
  readonly signal: AbortSignal;
  /** Told of every process, so that it ends what the supervisor cannot. */
  readonly janitor: Pick<Janitor, "began" | "ended">;
  /** Milliseconds from the monitor's start to the agent's hello. */
  readonly helloTimeoutMs: number;
}

export class Machine {
  readonly console = new Console();
  readonly processes: HelperProcess[] = [];
  readonly #host: MachineHost;
  readonly #failed = Promise.withResolvers<never>();
  #monitor: HelperProcess | undefined;
  #agent: Agent | undefined;
  #closeListener: (() => void) | undefined;
  #isStopping = false;
  /** In words, where the guest ended before its monitor. */
  #guestEnd: string | undefined;
  #control: MonitorControl | undefined;

  constructor(host: MachineHost) {
    this.#host = host;
    this.#failed.promise.catch(() => {});
    const giveUp = () => this.#failed.reject(new ClocheError("interrupted", "interrupted"));
    if (host.signal.aborted) giveUp();
    host.signal.addEventListener("abort", giveUp, { once: true });
  }

  /** Rejects when any process of the machine, or its link, ends before `stop` is called. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** The monitor, once it has started. Throws `state` before. */
  get monitor(): MonitorControl {
    if (this.#control === undefined) throw new ClocheError("state", "the monitor has not started");
    return this.#control;
  }

  /** Starts everything and hands the guest its identity. Throws what went wrong; `stop` is to be called either way. */
  async start(
    plan: InstancePlan,
    directory: InstanceDirectory,
    configuration: Omit<Configuration, "clockUnixNs" | "seed">,
  ): Promise<Ready> {
    const { stopwatch, log, helloTimeoutMs } = this.#host;
    stopwatch.begin("helpers");
    const listener = await listenForAgent(linkSocket(directory.link), (level, message) =>
      log("agent", `${level}: ${message}`),
    );
    this.#closeListener = listener.close;
    await this.#orFailure(this.#startHelpers(plan.helpers));

    stopwatch.begin("monitor");
    await this.#startMonitor(plan, directory);

    stopwatch.begin("boot");
    const agent = await this.#within(helloTimeoutMs, "boot its kernel and say hello", listener.agent);
    await this.#within(helloTimeoutMs, "say hello", agent.hello());
    this.#agent = agent;
    void agent.closed.then((reason) => this.#failUnlessMonitorEnded(reason, settleMs.link));

    stopwatch.begin("configure");
    const clockUnixNs = String(BigInt(Date.now()) * 1_000_000n);
    const seed = randomBytes(64).toString("base64");
    const configured = agent.configure({ ...configuration, clockUnixNs, seed });
    const ready = await this.#within(readyTimeoutMs, "make its session ready", configured);
    const timings = ready.timings.map(({ stage, ms }) => `${stage} ${ms}`);
    log("agent", `ready; ms since its kernel began: ${timings.join(", ")}`);
    return ready;
  }

  /** Ends the guest in good order within `graceMs`, then whatever is left. Never throws. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#closeListener?.();
    const monitor = this.#monitor;
    if (monitor && this.#agent && graceMs > 0) {
      this.#agent.shutDown(graceMs);
      await Promise.race([monitor.exited, delay(graceMs + powerOffMs)]);
    }
    await monitor?.kill();
    await Promise.all(this.processes.map((helper) => helper.kill()));
  }

  async #startHelpers(plans: readonly ProcessPlan[]): Promise<void> {
    const ready = new Map<string, Promise<void>>();
    for (const plan of plans) {
      const start = () => (this.#isStopping ? undefined : listening(plan, this.#startHelper(plan)));
      ready.set(
        plan.name,
        plan.after === undefined ? Promise.resolve(start()) : (ready.get(plan.after) ?? Promise.resolve()).then(start),
      );
    }
    await Promise.all(ready.values());
  }

  #startHelper(plan: ProcessPlan): HelperProcess {
    const helper = this.#startProcess(plan, this.#host.log);
    void helper.exited.then(async () => this.#failUnlessMonitorEnded(await untimelyEnd(helper), settleMs.helper));
    return helper;
  }

  #startProcess(plan: ProcessPlan, onLine: LineSink): HelperProcess {
    const { jail, janitor } = this.#host;
    const helper = startProcess(plan, jail, onLine);
    this.processes.push(helper);
    janitor.began(helper.pid);
    void helper.exited.then(() => janitor.ended(helper.pid));
    return helper;
  }

  async #startMonitor({ monitor }: InstancePlan, directory: InstanceDirectory): Promise<void> {
    const { log, driver, signal } = this.#host;
    const onLine: LineSink = (source, line) => {
      if (source === monitor.process.name) log("console", this.console.push(line));
      else log(source, line);
    };
    const pair = monitor.hasControlDescriptor ? fdpass.socketpair() : undefined;
    const stream = pair && new Socket({ fd: pair[0] });
    let process: HelperProcess;
    try {
      process = this.#startProcess({ ...monitor.process, descriptors: pair ? [pair[1]] : [] }, onLine);
    } finally {
      if (pair) fdpass.close(pair[1]);
    }
    this.#monitor = process;
    void process.exited.then(async () => {
      stream?.destroy();
      this.#fail(await this.#monitorEnd(process));
    });
    const command = (args: readonly string[]) => this.#command(monitor, args);
    const controlling = driver.control({ stream, directory: directory.monitor, command, signal });
    this.#control = await this.#orFailure(controlling.catch((error) => this.#preferMonitorEnd(error)));
    void this.#control.guestEnded?.then((words) => {
      this.#guestEnd = words;
      return process.kill();
    });
  }

  /** Runs the process that gives the monitor a command. */
  async #command({ commander, process }: MonitorPlan, args: readonly string[]): Promise<void> {
    if (commander === undefined) throw new ClocheError("unsupported", `${process.name} takes no commands`);
    const plan = { ...commander, argv: [...commander.argv, ...args] };
    const helper = this.#startProcess(plan, this.#host.log);
    const timer = setTimeout(() => void helper.kill(), commandTimeoutMs);
    const { code } = await helper.exited;
    clearTimeout(timer);
    if (code !== 0) throw new ClocheError("monitor-failed", (await untimelyEnd(helper)).message);
  }

  /** A monitor that ends takes its control socket with it: what its end says tells more than the socket's. */
  async #preferMonitorEnd(error: unknown): Promise<never> {
    const isClosed = error instanceof ClocheError && error.code === "monitor-failed";
    if (isClosed) await Promise.race([this.#monitor?.exited.then(() => this.#failed.promise), delay(1_000)]);
    throw error;
  }

  async #monitorEnd(process: HelperProcess): Promise<ClocheError> {
    const panic = this.console.panic;
    if (panic !== undefined) return new ClocheError("kernel-panic", `the guest's kernel gave up: ${panic}`);
    const last = this.console.excerpt(1)[0];
    if (last?.startsWith("cloche-guest:"))
      return new ClocheError("agent-failed", `in the guest: ${last.slice("cloche-guest: ".length)}`);
    const message = this.#guestEnd ?? (await untimelyEnd(process)).message;
    return new ClocheError("monitor-failed", message);
  }

  #fail(reason: ClocheError): void {
    if (!this.#isStopping) this.#failed.reject(reason);
  }

  /** The link and the helpers end with the monitor, and are seen a moment before it: then the monitor's end is what is told. */
  async #failUnlessMonitorEnded(reason: ClocheError, waitMs: number): Promise<void> {
    const monitorEnded = this.#monitor?.exited.then(() => true);
    if (!monitorEnded || !(await Promise.race([monitorEnded, delay(waitMs).then(() => false)]))) this.#fail(reason);
  }

  #orFailure<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failed.promise]);
  }

  async #within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const error = () => new ClocheError("agent-timeout", `the guest did not ${what} in ${timeoutMs / 1000} s`);
    const timer = setTimeout(() => late.reject(error()), timeoutMs);
    try {
      return await this.#orFailure(Promise.race([promise, late.promise]));
    } finally {
      clearTimeout(timer);
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
