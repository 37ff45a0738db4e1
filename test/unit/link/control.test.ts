import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Agent } from "../../../src/link/control.ts";
import { encodeFrame } from "../../../src/link/frame.ts";
import { type Configuration, frameKind, protocolVersion } from "../../../src/link/protocol.ts";

const hello = { type: "hello", protocol: protocolVersion, agent: "0.1.0", kernel: "6.12", uptimeMs: 900 };
const configuration: Configuration = {
  hostname: "foot",
  machineId: "0".repeat(32),
  clockUnixNs: "1",
  seed: "",
  mounts: [],
  windows: false,
  portals: false,
  network: null,
  environment: {},
};
const json = (value: unknown) => encodeFrame(frameKind.json, Buffer.from(JSON.stringify(value)));

/** An agent whose guest is the socket that is returned with it. */
async function pair(): Promise<{ agent: Agent; guest: Socket; logs: string[] }> {
  const directory = await mkdtemp(join(tmpdir(), "cloche-test-"));
  const server = createServer();
  server.listen(join(directory, "s"));
  await once(server, "listening");
  const guest = connect(join(directory, "s"));
  guest.on("error", () => {});
  const [socket]: Socket[] = await once(server, "connection");
  server.close();
  await rm(directory, { recursive: true });
  if (socket === undefined) throw new Error("no connection");
  const logs: string[] = [];
  return { agent: new Agent(socket, (level, message) => logs.push(`${level} ${message}`)), guest, logs };
}

test("hello, configure, ready", async (t) => {
  const { agent, guest, logs } = await pair();
  guest.write(json(hello));
  t.is((await agent.hello()).kernel, "6.12");
  const ready = agent.configure(configuration);
  guest.write(json({ type: "log", level: "info", message: "mounted" }));
  guest.write(json({ type: "ready", timings: [{ stage: "mounts", ms: 5 }], renderer: null }));
  t.deepEqual((await ready).timings, [{ stage: "mounts", ms: 5 }]);
  t.deepEqual(logs, ["info mounted"]);
  guest.end();
  t.is((await agent.closed).code, "agent-failed");
});

test("what the guest says has failed is what configure rejects with", async (t) => {
  const { agent, guest } = await pair();
  guest.write(json(hello));
  await agent.hello();
  const ready = agent.configure(configuration);
  guest.write(json({ type: "failed", stage: "mounts", message: "home: no such tag" }));
  const error = await t.throwsAsync(ready);
  t.is(error?.message, "in the guest: mounts: home: no such tag");
});

const violations: [what: string, bytes: Buffer[]][] = [
  ["ready before hello", [json({ type: "ready", timings: [], renderer: null })]],
  ["hello twice", [json(hello), json(hello)]],
  ["ready before configure", [json(hello), json({ type: "ready", timings: [], renderer: null })]],
  ["another protocol version", [json({ ...hello, protocol: protocolVersion + 1 })]],
  ["an unknown message", [json({ type: "sudo" })]],
  ["an unknown field", [json({ ...hello, extra: 1 })]],
  ["a wrong type", [json({ ...hello, uptimeMs: "soon" })]],
  ["an array", [json([hello])]],
  ["invalid UTF-8", [encodeFrame(frameKind.json, Buffer.from([0xff, 0xfe]))]],
  ["bytes of standard output", [encodeFrame(frameKind.stdout, Buffer.from("x"))]],
  ["a length of 2^32-1", [Buffer.from([255, 255, 255, 255, 0])]],
];
for (const [what, messages] of violations) {
  test(`${what} costs the guest its connection`, async (t) => {
    const { agent, guest } = await pair();
    for (const message of messages) guest.write(message);
    t.is((await agent.closed).code, "protocol");
    if (!guest.destroyed) await once(guest, "close");
    t.true(guest.destroyed);
  });
}
