// Video of the host for one guest. Each stream has a process in a jail that takes frames from the host's PipeWire and sends them down a connection
// of its own, as native/media has it; nothing of it passes through here.
import * as fdpass from "../native/fdpass/index.ts";
import { scaled } from "../src/deadlines.ts";
import { ClocheError, messageOf } from "../src/errors.ts";
import { type JailHost, nativeInJail } from "../src/jail/bwrap.ts";
import type { ProcessPlan } from "../src/jail/process-plan.ts";
import { type HelperProcess, startProcess } from "../src/jail/processes.ts";
import { hostPortPath } from "../src/link/hybrid-vsock.ts";
import { linkPort } from "../src/link/protocol.ts";
import { receiveOnce } from "../src/link/receive-once.ts";
import { packagePath } from "../src/paths.ts";
import type { HostPipeWire } from "./host-pipewire.ts";

/** What is shown. */
export interface Video {
  /** For the log and for messages: `camera`. */
  readonly what: string;
  /** The descriptor of a connection to the host's PipeWire; taken over. */
  readonly remote: number;
  /** The node that is captured; without, PipeWire chooses by `capture`. */
  readonly node?: number;
  /** Whether no frame comes while nothing changes: who begins to look is shown the last one. */
  readonly isStill?: boolean;
  /** Properties of the stream on the host. */
  readonly capture: Readonly<Record<string, string>>;
  /** Properties of the node in the guest. */
  readonly shown: Readonly<Record<string, string>>;
}

export interface ShownVideo {
  /** The id of its node in the guest's PipeWire. */
  readonly node: number;
  readonly ended: Promise<void>;
  close(): void;
}

/** What a process captures. */
interface Source extends Pick<Video, "capture"> {
  readonly node: number | undefined;
  readonly isStill: boolean;
}

/** Tells the guest to show a stream. */
export type Announce = (stream: number, properties: Readonly<Record<string, string>>) => void;

interface Opening {
  connect(fd: number): void;
  fail(error: ClocheError): void;
}

/** A video that several programs of the guest look at, and how many hold it. */
interface Shared {
  readonly video: Promise<ShownVideo>;
  holders: number;
}

/** A slow guest starts PipeWire first. */
const openTimeoutMs = scaled(60_000);
const helloTimeoutMs = scaled(10_000);
const maxGreeting = 16;
/** Between two words about what is in use. */
const usePauseMs = 500;
const configurationInJail = "/run/media.conf";

export class Media implements Disposable {
  readonly #pipewire: HostPipeWire;
  readonly #jail: JailHost;
  readonly #log: (message: string) => void;
  readonly #opening = new Map<number, Opening>();
  readonly #shared = new Map<string, Shared>();
  readonly #allowed = new Set<string>();
  readonly #processes = new Set<HelperProcess>();
  readonly #listener: number;
  readonly #stopListening: () => void;
  #last = 0;
  /** Connections that have not said yet for which stream they are. */
  #greeting = 0;
  /** What runs now, by name; a stream that nobody looks at does not. */
  readonly #running = new Map<number, string>();
  /** As it was said last. */
  #told: readonly string[] = [];
  #pause: NodeJS.Timeout | undefined;
  /** Hears what is in use whenever it changes. */
  onUse: (inUse: readonly string[]) => void = () => {};

  /** Takes the guest's connections at the link's socket. */
  constructor(socketPath: string, pipewire: HostPipeWire, jail: JailHost, log: (message: string) => void) {
    this.#pipewire = pipewire;
    this.#jail = jail;
    this.#log = log;
    this.#listener = fdpass.listenUnix(hostPortPath(socketPath, linkPort.media));
    this.#stopListening = fdpass.watchReadable(this.#listener, () => this.#accept());
  }

  /** The user has allowed it, until it is taken back. */
  allow(what: string): void {
    this.#allowed.add(what);
  }

  isAllowed(what: string): boolean {
    return this.#allowed.has(what);
  }

  /** The user has taken it back. */
  forbid(what: string): void {
    this.#allowed.delete(what);
  }

  /** One video for all that ask for the same: the first opens it, the last that lets go ends it. */
  async share(key: string, open: () => Promise<ShownVideo>): Promise<ShownVideo> {
    const shared = this.#shared.get(key) ?? { video: open(), holders: 0 };
    shared.holders += 1;
    this.#shared.set(key, shared);
    const forget = () => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    const video = await shared.video.catch((error) => {
      forget();
      throw error;
    });
    void video.ended.then(forget);
    let isHeld = true;
    const close = () => {
      if (isHeld) shared.holders -= 1;
      isHeld = false;
      if (shared.holders === 0) video.close();
    };
    return { ...video, close };
  }

  /** Shows `video` in the guest. Throws `agent-failed` where the guest does not, `helper-failed` where the host has no such video. */
  async show({ what, remote, node, isStill = false, capture, shown }: Video, announce: Announce): Promise<ShownVideo> {
    this.#last += 1;
    const stream = this.#last;
    const { promise: connected, resolve: connect, reject: fail } = Promise.withResolvers<number>();
    this.#opening.set(stream, { connect, fail });
    const late = () => fail(new ClocheError("agent-failed", `the guest does not show the ${what}`));
    const timer = setTimeout(late, openTimeoutMs);
    try {
      announce(stream, shown);
      const connection = await connected;
      const id = Promise.withResolvers<number>();
      const process = this.#start(stream, what, [connection, remote], { node, isStill, capture }, id.resolve);
      fdpass.close(connection);
      const ended = process.exited.then(() => this.#forget(stream, process));
      const close = () => void process.kill();
      void ended.then(() => {
        const words = process.lastErrors.at(-1) ?? "its process ended";
        id.reject(new ClocheError("helper-failed", `the ${what} cannot be shown: ${words}`));
      });
      const lateNode = () => {
        id.reject(new ClocheError("helper-failed", `the ${what} sends nothing`));
        close();
      };
      const nodeTimer = setTimeout(lateNode, openTimeoutMs);
      return { node: await id.promise.finally(() => clearTimeout(nodeTimer)), ended, close };
    } finally {
      clearTimeout(timer);
      this.#opening.delete(stream);
      fdpass.close(remote);
    }
  }

  /** The guest cannot show a stream. */
  fail(stream: number, message: string): void {
    this.#opening.get(stream)?.fail(new ClocheError("agent-failed", `the guest cannot show it: ${message}`));
  }

  #start(
    stream: number,
    what: string,
    descriptors: readonly number[],
    source: Source,
    hearNode: (node: number) => void,
  ): HelperProcess {
    const plan = planCapture(this.#pipewire, stream, descriptors, source);
    // Before the guest has a node, it runs for a moment to learn its format.
    let hasNode = false;
    const process = startProcess(plan, this.#jail, (output, line) => {
      const [, id] = /^node (\d{1,10})$/.exec(line) ?? [];
      if (id !== undefined) {
        hasNode = true;
        hearNode(Number(id));
      } else if (line === "running" && hasNode) this.#use(stream, what);
      else if (line === "idle") this.#use(stream, undefined);
      if (output.endsWith(".err") || line.startsWith("frames")) this.#log(`${what}: ${line}`);
    });
    this.#processes.add(process);
    return process;
  }

  #use(stream: number, what: string | undefined): void {
    if (what === undefined) this.#running.delete(stream);
    else this.#running.set(stream, what);
    this.#tellUse();
  }

  /** At once, and then what it has come to meanwhile: a guest says as often as it likes whether it looks. */
  #tellUse(): void {
    const inUse = [...new Set(this.#running.values())];
    if (this.#pause !== undefined || inUse.join() === this.#told.join()) return;
    for (const what of inUse) if (!this.#told.includes(what)) this.#log(`the ${what} is in use`);
    for (const what of this.#told) if (!inUse.includes(what)) this.#log(`the ${what} is not in use any more`);
    this.#told = inUse;
    this.onUse(inUse);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#tellUse();
    }, usePauseMs);
  }

  #forget(stream: number, process: HelperProcess): void {
    this.#processes.delete(process);
    this.#use(stream, undefined);
  }

  #accept(): void {
    const fd = fdpass.accept(this.#listener);
    if (fd === undefined) return;
    if (this.#greeting >= maxGreeting) {
      fdpass.close(fd);
      return;
    }
    this.#greeting += 1;
    const limits = { timeoutMs: helloTimeoutMs, maxBytes: 4, maxFds: 0 };
    receiveOnce(fd, limits)
      .then(({ bytes }) => {
        const opening = bytes.length === 4 ? this.#opening.get(bytes.readUInt32LE(0)) : undefined;
        if (opening === undefined) throw new ClocheError("protocol", "a connection for no stream");
        opening.connect(fd);
      })
      .catch((error) => {
        this.#log(`video: ${messageOf(error)}`);
        fdpass.close(fd);
      })
      .finally(() => {
        this.#greeting -= 1;
      });
  }

  [Symbol.dispose](): void {
    this.#stopListening();
    fdpass.close(this.#listener);
    for (const { fail } of this.#opening.values()) fail(new ClocheError("agent-failed", "the instance ends"));
    for (const process of this.#processes) void process.kill();
    clearTimeout(this.#pause);
  }
}

/** The process that captures: its descriptors are the connection to the guest and the one to PipeWire. */
function planCapture(
  pipewire: HostPipeWire,
  stream: number,
  descriptors: readonly number[],
  { node, isStill, capture }: Source,
): ProcessPlan {
  const configuration = packagePath("native", "media", "cloche-media.conf");
  const settings = {
    "media.end": "capture",
    "media.connection": 3,
    "media.remote": 4,
    ...(node !== undefined && { "media.node": node }),
    "media.still": isStill,
    "stream.props": { "media.type": "Video", "media.category": "Capture", "node.name": "cloche", ...capture },
  };
  return {
    name: `video-${stream}`,
    argv: [pipewire.program, "-c", configurationInJail],
    system: "host",
    binds: [{ source: configuration, target: configurationInJail, access: "ro" }],
    environment: {
      CLOCHE_MEDIA: JSON.stringify(settings),
      PIPEWIRE_MODULE_DIR: `${pipewire.modules}:${nativeInJail("")}`,
      XDG_RUNTIME_DIR: "/tmp",
    },
    network: "none",
    descriptors,
  };
}
