// Plays the guest's agent: says hello on the instance's link and is ready with whatever it is told.
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { layOut } from "../../src/instance/directory.ts";
import { encodeFrame, readFrames } from "../../src/link/frame.ts";
import { hostPortPath } from "../../src/link/hybrid-vsock.ts";
import { frameKind, linkPort, protocolVersion } from "../../src/link/protocol.ts";
import { linkSocket } from "../../src/link/vsock-device.ts";

/** Waits for the supervisor of `id` to listen; returns once the agent is configured. */
export async function playAgent(id: string): Promise<Socket> {
  const path = hostPortPath(linkSocket(layOut(id).link), linkPort.control);
  while (!existsSync(path)) await delay(10);
  const socket = connect(path);
  socket.on("error", () => {});
  const say = (message: object) => socket.write(encodeFrame(frameKind.json, Buffer.from(JSON.stringify(message))));
  say({ type: "hello", protocol: protocolVersion, agent: "fake", kernel: "fake", uptimeMs: 1 });
  const frames = readFrames(socket);
  await frames.next();
  say({ type: "ready", timings: [], renderer: null });
  return socket;
}
