// A guest that lies, stalls or floods on the connection of a video stream.
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import * as fdpass from "../../native/fdpass/index.ts";
import { findHostPipeWire } from "../../portals/host-pipewire.ts";
import { Media, type ShownVideo } from "../../portals/media.ts";
import { findBwrap } from "../../src/jail/bwrap.ts";
import { hostPortPath } from "../../src/link/hybrid-vsock.ts";
import { linkPort } from "../../src/link/protocol.ts";
import { nativeDirectory } from "../../src/paths.ts";
import { needs } from "../support/require.ts";
import { missingForVideo, startCamera } from "./support/cameras.ts";
import { startSession } from "./support/session.ts";
import { until } from "./support/until.ts";

const missing = await missingForVideo();
const { serial } = needs("pipewire", missing);

const [node, wanted] = [1, 2];

class Guest {
  readonly socket: Socket;
  bytes = 0;
  isOver = false;

  constructor(path: string, stream: number) {
    this.socket = new Socket({ fd: fdpass.connectUnix(path) });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isOver = true;
    });
    this.say(stream);
  }

  say(...words: number[]): void {
    const bytes = Buffer.alloc(words.length * 4);
    for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, index * 4);
    this.socket.write(bytes);
  }

  read(): void {
    this.socket.on("data", (bytes: Buffer) => {
      this.bytes += bytes.length;
    });
  }
}

/** A host with a camera, and a guest that is what the test makes of it. */
async function start() {
  await using cleanup = new AsyncDisposableStack();
  const host = cleanup.use(await startSession());
  const camera = cleanup.use(await startCamera(host));
  const directory = await mkdtemp(join(tmpdir(), "cloche-media-"));
  cleanup.defer(() => rm(directory, { recursive: true }));
  const [bwrap, pipewire] = await Promise.all([findBwrap(), findHostPipeWire()]);
  if (pipewire === undefined) throw new Error("the host has no PipeWire");
  const said: string[] = [];
  const jail = { bwrap, runtimeRoot: "/nonexistent", nativeDirectory: nativeDirectory() };
  const link = join(directory, "link");
  const media = cleanup.use(new Media(link, pipewire, jail, (line) => said.push(line)));
  const guests: Guest[] = [];
  const path = hostPortPath(link, linkPort.media);
  const show = (): Promise<ShownVideo> => {
    const remote = fdpass.connectUnix(join(host.environment.XDG_RUNTIME_DIR ?? "", "pipewire-0"));
    const video = { what: "camera", remote, capture: { "media.role": "Camera" }, shown: {} };
    return media.show(video, (stream) => guests.push(new Guest(path, stream)));
  };
  const guest = async () => {
    await until(() => guests.length > 0);
    return guests[0] as Guest;
  };
  const resources = cleanup.move();
  return { camera, path, said, show, guest, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

serial("a connection for a stream that nobody announced is closed", async (t) => {
  await using world = await start();
  const stranger = new Guest(world.path, 77);
  stranger.read();
  await until(() => stranger.isOver);
  t.is(stranger.bytes, 0);
});

async function ends(t: ExecutionContext, words: readonly number[]) {
  await using world = await start();
  const showing = world.show();
  const guest = await world.guest();
  guest.read();
  await until(() => guest.bytes > 0);
  guest.say(...words);
  await until(() => guest.isOver);
  await t.throwsAsync(showing, { message: /cannot be shown: error: the guest has sent something else/ });
}

serial("a message of a kind that nobody knows ends the stream", (t) => ends(t, [3, 0]));
serial("so does a flood of them", (t) => ends(t, Array<number>(100_000).fill(0xffff_ffff)));

serial("so does a wish before there is a format", async (t) => {
  await using world = await start();
  const showing = world.show();
  (await world.guest()).say(wanted, 1);
  await t.throwsAsync(showing, { message: /something else/ });
});

serial("a guest that looks and looks away as fast as it can is told of twice a second", async (t) => {
  await using world = await start();
  const showing = world.show();
  const guest = await world.guest();
  guest.read();
  await until(() => guest.bytes > 0);
  guest.say(node, 40);
  const { close, ended } = await showing;
  const began = performance.now();
  for (let turn = 0; turn < 2_000; turn++) guest.say(wanted, turn % 2);
  await until(() => world.said.some((line) => line.startsWith("frames") || line.includes("frames")), 20_000);
  close();
  await ended;
  const told = world.said.filter((line) => line.endsWith("in use") || line.endsWith("any more")).length;
  t.true(told <= 2 + (performance.now() - began) / 500, `${told} times`);
});

serial("a guest that stops reading loses frames, and its end ends the stream", async (t) => {
  await using world = await start();
  const showing = world.show();
  const guest = await world.guest();
  guest.read();
  await until(() => guest.bytes > 0);
  guest.say(node, 40);
  const { node: shown, ended } = await showing;
  t.is(shown, 40);
  guest.say(wanted, 1);
  await until(() => guest.bytes > 2_000_000);
  guest.socket.pause();
  const before = world.camera.frames.length;
  await until(() => world.camera.frames.length > before + 30);
  guest.say(wanted, 0);
  await until(() => world.said.some((line) => /frames \d+ dropped [1-9]/.test(line)));
  guest.socket.destroy();
  await ended;
  await until(() => world.said.at(-1) === "the camera is not in use any more");
});
