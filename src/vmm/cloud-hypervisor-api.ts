// cloud-hypervisor's HTTP API (vmm/src/api/openapi/cloud-hypervisor.yaml) on a Unix socket. Its answers are not trusted: a guest may have taken it over.
import type { Client } from "undici";
import { scaled } from "../deadlines.ts";
import { ClocheError } from "../errors.ts";
import { type SchemaCheck, schemaCheck } from "../schema.ts";
import type { Hotplug, NewDevice, Snapshots } from "./contract.ts";
import { connectOwnSocket } from "./own-socket.ts";

/** Milliseconds; a snapshot writes the guest's memory. */
const defaultTimeoutMs = scaled(10_000);
const snapshotTimeoutMs = 120_000;
/** Bytes; the longest answer that we ask for is an error's chain of messages. */
const maxAnswerBytes = 64 * 1024;
const maxHeaderBytes = 4096;
/** Characters of an error that are passed on. */
const maxReasonLength = 500;

const newDevice = schemaCheck<{ readonly id: string }>({
  type: "object",
  required: ["id"],
  properties: { id: { type: "string", minLength: 1, maxLength: 256 } },
});
const errorChain = schemaCheck<readonly string[]>({ type: "array", maxItems: 64, items: { type: "string" } });

export class CloudHypervisorApi implements Snapshots, Hotplug {
  readonly #socketPath: string;
  readonly #timeoutMs: number;
  #client: Promise<Client> | undefined;

  /** @param socketPath on the host; connected to with the first request */
  constructor(socketPath: string, timeoutMs = defaultTimeoutMs) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
  }

  powerButton = (): Promise<void> => this.#command("vm.power-button");
  pause = (): Promise<void> => this.#command("vm.pause");
  resume = (): Promise<void> => this.#command("vm.resume");
  /** Ends the monitor. */
  shutDown = (): Promise<void> => this.#command("vmm.shutdown");

  save(directory: string): Promise<void> {
    return this.#command("vm.snapshot", { destination_url: `file://${directory}` }, snapshotTimeoutMs);
  }

  async restore(directory: string): Promise<void> {
    await this.#command("vm.delete");
    await this.#command("vm.restore", { source_url: `file://${directory}`, resume: true }, snapshotTimeoutMs);
  }

  async add(device: NewDevice): Promise<string> {
    const { action, settings } = describeDevice(device);
    const answer = await this.#put(action, settings, this.#timeoutMs);
    return parseAnswer(answer, newDevice, action).id;
  }

  remove(id: string): Promise<void> {
    return this.#command("vm.remove-device", { id });
  }

  close(): void {
    void this.#client?.then((client) => client.destroy()).catch(() => {});
  }

  async #command(action: string, body?: object, ms = this.#timeoutMs): Promise<void> {
    await this.#put(action, body, ms);
  }

  async #put(action: string, body: object | undefined, ms: number): Promise<string> {
    const answer = await this.#request(action, body, ms).catch((cause) => {
      throw cause instanceof ClocheError
        ? cause
        : new ClocheError("monitor-failed", `cloud-hypervisor did not answer ${action}`, { cause });
    });
    if (answer.status === 200 || answer.status === 204) return answer.text;
    throw new ClocheError("monitor-failed", `cloud-hypervisor refused ${action}: ${reasonOf(answer.text)}`);
  }

  async #request(action: string, body: object | undefined, ms: number): Promise<{ status: number; text: string }> {
    // One deadline for all of it: an answer that trickles in is none.
    const signal = AbortSignal.timeout(ms);
    this.#client ??= openClient(this.#socketPath, this.#timeoutMs);
    const client = await this.#client;
    const { statusCode, body: answer } = await client.request({
      method: "PUT",
      path: `/api/v1/${action}`,
      signal,
      headersTimeout: ms,
      bodyTimeout: ms,
      ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    return { status: statusCode, text: await answer.text() };
  }
}

/** Loads undici, which a launch does not wait for. */
async function openClient(socketPath: string, timeoutMs: number): Promise<Client> {
  const undici = await import("undici");
  return new undici.Client("http://localhost", {
    connect: (_options, callback) => {
      connectOwnSocket(socketPath, timeoutMs).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    },
    maxResponseSize: maxAnswerBytes,
    maxHeaderSize: maxHeaderBytes,
  });
}

function describeDevice(device: NewDevice): { action: string; settings: object } {
  const { socket } = device;
  switch (device.kind) {
    case "share":
      return { action: "vm.add-fs", settings: { tag: device.tag, socket, num_queues: 1, queue_size: 1024 } };
    case "network":
      return { action: "vm.add-net", settings: { vhost_user: true, vhost_socket: socket } };
    case "link":
      return { action: "vm.add-vsock", settings: { cid: device.guestCid, socket } };
    case "display":
      return { action: "vm.add-user-device", settings: { socket } };
  }
}

/** Throws `protocol`. */
function parseAnswer<T>(text: string, check: SchemaCheck<T>, what: string): T {
  const value = parseJson(text);
  if (check.isValid(value)) return value;
  throw new ClocheError("protocol", `cloud-hypervisor's answer to ${what} is not what its API says`);
}

/** The chain of an error's messages, in one line. */
export function reasonOf(text: string): string {
  const value = parseJson(text);
  const reason = errorChain.isValid(value) ? value.join(": ") : "it does not say why";
  return reason.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, maxReasonLength);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
