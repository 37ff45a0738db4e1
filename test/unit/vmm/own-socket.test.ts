import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { connectOwnSocket } from "../../../src/vmm/own-socket.ts";

const directory = await mkdtemp(join(tmpdir(), "cloche-own-socket-"));
test.after.always(() => rm(directory, { recursive: true }));
const at = (name: string) => join(directory, name);

const server = createServer((socket) => socket.end("hello"));
test.before(async () => {
  server.listen(at("socket"));
  await once(server, "listening");
});
test.after.always(() => void server.close());

test("a socket is connected to", async (t) => {
  const socket = await connectOwnSocket(at("socket"), 1_000);
  const [chunk]: Buffer[] = await once(socket, "data");
  t.is(chunk?.toString(), "hello");
  socket.destroy();
});

test("a link to a socket of another's is not followed", async (t) => {
  await symlink(at("socket"), at("link"));
  t.like(await t.throwsAsync(connectOwnSocket(at("link"), 1_000)), { code: "protocol" });
});

test("anything else in its place has broken the protocol", async (t) => {
  await writeFile(at("file"), "");
  t.like(await t.throwsAsync(connectOwnSocket(at("file"), 1_000)), { code: "protocol" });
  t.like(await t.throwsAsync(connectOwnSocket(directory, 1_000)), { code: "protocol" });
});

test("no socket is a monitor that has failed", async (t) => {
  t.like(await t.throwsAsync(connectOwnSocket(at("nothing"), 1_000)), { code: "monitor-failed" });
});
