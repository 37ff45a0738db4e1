// What a connection asks of others on a bus, as the bus itself tells a monitor.
import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { Bus, BusError } from "../../../portals/bus.ts";
import { readLines } from "../../../src/read-lines.ts";
import { until } from "./until.ts";

export interface BusWatch extends AsyncDisposable {
  /** The calls until now: interface and member, in their order. */
  finish(): Promise<string[]>;
}

/** Watches the calls of the connection `name` with dbus-monitor(1). Ready when it hears them. */
export async function watchBus(address: string, name: string): Promise<BusWatch> {
  const calls: string[] = [];
  const monitor = execa("dbus-monitor", ["--address", address, "type=method_call"], { reject: false, buffer: false });
  readLines(monitor.stdout, {
    maxLineBytes: 65_536,
    onLine(line) {
      const [, sender, called, member] =
        /^method call .* sender=(\S+) .* interface=(\S+); member=(\S+)/.exec(line) ?? [];
      if (sender === name || called === "test.Mark") calls.push(`${called}.${member}`);
    },
  });
  const bus = await Bus.connect(address);
  /** A call that everything before it has been heard before. */
  const mark = async () => {
    const member = `M${randomBytes(6).toString("hex")}`;
    const at = { destination: "org.freedesktop.DBus", path: "/", interface: "test.Mark", member };
    await bus.call(at).catch((error) => {
      if (!(error instanceof BusError)) throw error;
    });
    return `test.Mark.${member}`;
  };
  await until(async () => {
    await mark();
    return calls.length > 0;
  });
  return {
    async finish() {
      const last = await mark();
      await until(() => calls.includes(last));
      return calls.filter((call) => !call.startsWith("test.Mark."));
    },
    async [Symbol.asyncDispose]() {
      bus[Symbol.dispose]();
      monitor.kill();
      await monitor;
    },
  };
}
