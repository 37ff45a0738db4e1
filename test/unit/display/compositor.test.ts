import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { findCompositor } from "../../../src/display/compositor.ts";

test("a relative display lies in XDG_RUNTIME_DIR", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "cloche-test-"));
  const server = createServer().listen(join(directory, "wayland-7"));
  await once(server, "listening");
  t.is(
    await findCompositor({ WAYLAND_DISPLAY: "wayland-7", XDG_RUNTIME_DIR: directory }),
    join(directory, "wayland-7"),
  );
  server.close();
  await rm(directory, { recursive: true });
});

test("no WAYLAND_DISPLAY is told as such, with a hint", async (t) => {
  const error = await t.throwsAsync(findCompositor({}));
  t.like(error, { code: "no-display" });
  t.regex(error?.message ?? "", /WAYLAND_DISPLAY is not set/);
});

test("a session of X11 alone is named", async (t) => {
  const error = await t.throwsAsync(findCompositor({ DISPLAY: ":0" }));
  t.regex(error?.message ?? "", /X11 only/);
});

test("a socket that nobody answers on is named", async (t) => {
  const error = await t.throwsAsync(findCompositor({ WAYLAND_DISPLAY: "/nonexistent/wayland-0" }));
  t.is(error?.message, "no compositor answers on /nonexistent/wayland-0");
});
