import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSocketServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { CloudHypervisorApi, reasonOf } from "../../../src/vmm/cloud-hypervisor-api.ts";

const timeoutMs = 400;

interface Asked {
  readonly line: string;
  readonly body: string;
}

/** Listens on a socket of its own for as long as the test takes. */
async function listen(server: Server): Promise<{ api: CloudHypervisorApi } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "cloche-api-"));
  const path = join(directory, "api");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const api = new CloudHypervisorApi(path, timeoutMs);
  const close = async () => {
    api.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(directory, { recursive: true });
  };
  return { api, [Symbol.asyncDispose]: close };
}

/** Answers every request, and keeps what was asked. */
async function serve(status: number, text = "") {
  const asked: Asked[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ line: `${request.method} ${request.url}`, body });
    response.writeHead(status).end(text);
  };
  return { asked, ...(await listen(createServer((request, response) => void answer(request, response)))) };
}

/** Answers with bytes of its own, whatever is asked. */
const serveBytes = (onConnection: (socket: Socket) => void) => listen(createSocketServer(onConnection));

test("commands are PUT requests", async (t) => {
  await using server = await serve(204);
  await server.api.pause();
  await server.api.resume();
  await server.api.powerButton();
  await server.api.shutDown();
  t.deepEqual(
    server.asked.map(({ line }) => line),
    ["vm.pause", "vm.resume", "vm.power-button", "vmm.shutdown"].map((action) => `PUT /api/v1/${action}`),
  );
});

test("a snapshot names its directory, and restoring replaces the machine", async (t) => {
  await using server = await serve(204);
  await server.api.save("/run/monitor/a");
  await server.api.restore("/run/monitor/a");
  t.deepEqual(
    server.asked.map(({ line, body }) => `${line.slice(11)} ${body}`),
    [
      '/vm.snapshot {"destination_url":"file:///run/monitor/a"}',
      "/vm.delete ",
      '/vm.restore {"source_url":"file:///run/monitor/a","resume":true}',
    ],
  );
});

test("devices are added by kind, and removed by the name that they got", async (t) => {
  await using server = await serve(200, '{"id":"_fs2","bdf":"0000:00:06.0"}');
  const { api, asked } = server;
  t.is(await api.add({ kind: "share", tag: "home", socket: "/run/files/home" }), "_fs2");
  await api.add({ kind: "network", socket: "/run/net/passt" });
  await api.add({ kind: "link", guestCid: 3, socket: "/run/link/vsock" });
  await api.add({ kind: "display", socket: "/run/gpu/device" });
  await api.remove("_fs2");
  t.deepEqual(
    asked.map(({ line, body }) => ({ action: line.split("/").at(-1), ...JSON.parse(body) })),
    [
      { action: "vm.add-fs", tag: "home", socket: "/run/files/home", num_queues: 1, queue_size: 1024 },
      { action: "vm.add-net", vhost_user: true, vhost_socket: "/run/net/passt" },
      { action: "vm.add-vsock", cid: 3, socket: "/run/link/vsock" },
      { action: "vm.add-user-device", socket: "/run/gpu/device" },
      { action: "vm.remove-device", id: "_fs2" },
    ],
  );
});

test("a refusal carries the chain of its reasons, printable and in bounds", async (t) => {
  await using server = await serve(500, JSON.stringify(["Error from API", "no\u001b[31m such", "x".repeat(9_000)]));
  const error = await t.throwsAsync(server.api.pause());
  t.like(error, { code: "monitor-failed" });
  t.regex(error?.message ?? "", /^cloud-hypervisor refused vm\.pause: Error from API: no \[31m such: x+$/);
  t.true((error?.message.length ?? 0) < 600);
});

test("an answer about a device that is not what the API says has broken the protocol", async (t) => {
  for (const text of ["", "[]", '{"id":7}', '{"id":""}', "{"]) {
    await using server = await serve(200, text);
    const adding = server.api.add({ kind: "network", socket: "/s" });
    t.like(await t.throwsAsync(adding), { code: "protocol" }, text);
  }
});

test("a flood is cut off", async (t) => {
  const before = process.memoryUsage().rss;
  await using server = await serveBytes((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const flood = () => {
      while (!socket.destroyed && socket.write(`10000\r\n${"x".repeat(65_536)}\r\n`));
    };
    socket.on("drain", flood);
    socket.once("data", flood);
  });
  t.like(await t.throwsAsync(server.api.pause()), { code: "monitor-failed" });
  t.true(process.memoryUsage().rss - before < 100 * 2 ** 20);
});

test("a flood of headers is cut off", async (t) => {
  await using server = await serveBytes((socket) => {
    socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`));
  });
  t.like(await t.throwsAsync(server.api.pause()), { code: "monitor-failed" });
});

for (const [what, said] of [
  ["says nothing", ""],
  ["stops within its headers", "HTTP/1.1 200 OK\r\nContent-"],
  ["stops within its body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"],
  ["is no HTTP", "QMP"],
] as const) {
  test(`an answer that ${what} is given up at the deadline`, async (t) => {
    await using server = await serveBytes((socket) => void socket.once("data", () => socket.write(said)));
    const start = performance.now();
    t.like(await t.throwsAsync(server.api.pause()), { code: "monitor-failed" });
    t.true(performance.now() - start < 10 * timeoutMs);
  });
}

test("an answer that trickles in has the same deadline as one that does not come", async (t) => {
  await using server = await serveBytes((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const ticks = setInterval(() => socket.write("."), 50);
    socket.on("close", () => clearInterval(ticks));
  });
  t.like(await t.throwsAsync(server.api.pause()), { code: "monitor-failed" });
});

test("without a socket the monitor has failed", async (t) => {
  const api = new CloudHypervisorApi("/nonexistent/api", timeoutMs);
  t.like(await t.throwsAsync(api.pause()), { code: "monitor-failed" });
});

test("no text makes the reader of reasons throw, and all that it passes on is printable", (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.array(fc.string()).map((parts) => JSON.stringify(parts)),
      ),
      (text) => {
        t.regex(reasonOf(text), /^[\x20-\x7e]{0,500}$/);
      },
    ),
  );
});
