// PipeWire in a session, and a camera that shows a test picture with a ball that moves.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import * as fdpass from "../../../native/fdpass/index.ts";
import { nativeDirectory, packagePath } from "../../../src/paths.ts";
import type { Session } from "./session.ts";
import { until } from "./until.ts";

export const picture = { width: 1280, height: 720, framesPerSecond: 30, bytes: (1280 * 720 * 3) / 2 } as const;

/** What the tests need of the machine; undefined where it has all of it. */
export async function missingForVideo(): Promise<string | undefined> {
  for (const program of ["pipewire", "wireplumber", "pw-dump", "gst-launch-1.0", "gst-inspect-1.0"])
    if ((await execa("which", [program], { reject: false })).exitCode !== 0) return `${program} is not on PATH`;
  for (const element of ["pipewiresrc", "videotestsrc"])
    if ((await execa("gst-inspect-1.0", [element], { reject: false })).exitCode !== 0)
      return `GStreamer has no ${element}`;
  return undefined;
}

/** Starts PipeWire with its session manager; disposed of, both end. */
export async function startPipeWire({ environment }: Pick<Session, "environment">): Promise<AsyncDisposable> {
  await using cleanup = new AsyncDisposableStack();
  const start = (program: string) => {
    const options = { env: environment, extendEnv: false, stdio: "ignore", reject: false } as const;
    const child = execa(program, [], options);
    cleanup.defer(async () => {
      child.kill();
      await child;
    });
  };
  start("pipewire");
  const socket = join(environment.XDG_RUNTIME_DIR ?? "", "pipewire-0");
  await until(() => existsSync(socket));
  start("wireplumber");
  const resources = cleanup.move();
  return { [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export interface CameraFacts {
  /** Whether it shows one frame, and then nothing. */
  readonly isStill?: boolean;
}

export interface Camera extends AsyncDisposable {
  /** The digests of the frames that it has shown, in order. */
  readonly frames: readonly string[];
}

/**
 * Starts PipeWire in a session, and a camera of it that shows GStreamer's test picture. The module makes its node: not every GStreamer's own does.
 * xdg-desktop-portal has to start after it: not every one notices a camera that comes later.
 */
export async function startCamera({ environment }: Session, { isStill = false }: CameraFacts = {}): Promise<Camera> {
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(await startPipeWire({ environment }));
  const [ours, theirs] = fdpass.socketpair();
  const settings = { "media.class": "Video/Source", "media.role": "Camera", "node.name": "test-camera" };
  const node = spawn("pipewire", ["-c", packagePath("native", "media", "cloche-media.conf")], {
    env: {
      ...environment,
      PIPEWIRE_MODULE_DIR: `/usr/lib/x86_64-linux-gnu/pipewire-0.3:${nativeDirectory()}`,
      CLOCHE_MEDIA: JSON.stringify({ "media.end": "source", "media.connection": 3, "stream.props": settings }),
    },
    stdio: ["ignore", "ignore", "inherit", theirs],
  });
  fdpass.close(theirs);
  const connection = new Socket({ fd: ours });
  connection.on("error", () => {});
  let isWanted = false;
  // Messages of two words: the second kind says whether anybody looks.
  connection.on("data", (bytes: Buffer) => {
    for (let at = 0; at + 8 <= bytes.length; at += 8)
      if (bytes.readUInt32LE(at) === 2) isWanted = bytes.readUInt32LE(at + 4) === 1;
  });
  connection.write(message(1, formatOf(picture), picture.bytes));
  const caps = `video/x-raw,format=I420,width=${picture.width},height=${picture.height},framerate=${picture.framesPerSecond}/1`;
  const pipeline = ["videotestsrc", "is-live=true", "pattern=ball", "!", caps, "!", "fdsink", "fd=1"];
  const source = spawn("gst-launch-1.0", ["-q", ...pipeline], { stdio: ["ignore", "pipe", "inherit"] });
  const frames: string[] = [];
  source.stdout.on("readable", () => {
    for (let frame = source.stdout.read(picture.bytes); frame !== null; frame = source.stdout.read(picture.bytes)) {
      if (!isWanted || frame.length !== picture.bytes || (isStill && frames.length > 0)) continue;
      frames.push(digestOf(frame));
      connection.write(message(2, frame, picture.width));
    }
  });
  cleanup.defer(async () => {
    source.kill();
    connection.destroy();
    await Promise.all([source, node].map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
  });
  const look = () => execa("pw-dump", { env: environment, extendEnv: false });
  await until(async () => (await look()).stdout.includes("test-camera"), 20_000);
  const resources = cleanup.move();
  return { frames, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** A message as native/media/src/messages.h has it. */
function message(kind: number, body: Buffer, value: number): Buffer {
  const header = Buffer.alloc(12);
  for (const [index, word] of [kind, body.length, value].entries()) header.writeUInt32LE(word, index * 4);
  return Buffer.concat([header, body]);
}

/** Raw video in I420, as a SPA object (spa/param/format.h). */
function formatOf({ width, height, framesPerSecond }: typeof picture): Buffer {
  const [id, rectangle, fraction, object] = [3, 10, 11, 15];
  const [video, raw, i420] = [2, 1, 2];
  const one = (key: number, value: number) => [key, 0, 4, id, value, 0];
  const two = (key: number, type: number, first: number, second: number) => [key, 0, 8, type, first, second];
  const body = [
    ...[0x40003, 4, ...one(1, video), ...one(2, raw), ...one(0x20001, i420)],
    ...[...two(0x20003, rectangle, width, height), ...two(0x20004, fraction, framesPerSecond, 1)],
  ];
  return Buffer.from(Uint32Array.from([body.length * 4, object, ...body]).buffer);
}

const digestOf = (frame: Buffer): string => createHash("sha256").update(frame).digest("hex");

/** What a program of a guest does with the descriptor that it is given: it takes so many frames of a node, or is stopped. The descriptor is closed. */
export async function readFramesFrom(
  remote: number,
  node: string,
  environment: Readonly<Record<string, string>>,
  count: number,
  {
    signal,
    isKept = true,
  }: { readonly signal?: AbortSignal /** Else there are no digests. */; readonly isKept?: boolean } = {},
): Promise<string[]> {
  const path = join(environment.HOME ?? "", "taken.raw");
  const pipeline = ["pipewiresrc", "fd=3", node, `num-buffers=${count}`, "!", "video/x-raw,format=I420"];
  const sink = isKept ? ["filesink", `location=${path}`] : ["fakesink"];
  const taking = spawn("gst-launch-1.0", ["-q", ...pipeline, "!", ...sink], {
    env: environment,
    stdio: ["ignore", "ignore", "inherit", remote],
    timeout: 120_000,
    ...(signal && { signal }),
  });
  fdpass.close(remote);
  const [code] = await once(taking, "exit");
  if (code !== 0) throw new Error(`gst-launch-1.0 ended with ${code}`);
  return isKept ? readFrames(path) : [];
}

/** The digest of each whole frame in a file. */
async function readFrames(path: string): Promise<string[]> {
  const { size } = await stat(path);
  const file = await open(path);
  try {
    const digests: string[] = [];
    const frame = Buffer.alloc(picture.bytes);
    for (let at = 0; at + picture.bytes <= size; at += picture.bytes) {
      await file.read(frame, 0, picture.bytes, at);
      digests.push(digestOf(frame));
    }
    return digests;
  } finally {
    await file.close();
  }
}
