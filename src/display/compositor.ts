// The user's compositor: where its socket is, and whether anything answers there.
import { once } from "node:events";
import { connect } from "node:net";
import { isAbsolute, join } from "node:path";
import { ClocheError } from "../errors.ts";

/** The compositor's socket (wl_display_connect(3)). Throws `no-display`. */
export async function findCompositor(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const display = environment.WAYLAND_DISPLAY;
  const runtime = environment.XDG_RUNTIME_DIR;
  const hint = "Start Cloche from a terminal of your Wayland desktop, or set WAYLAND_DISPLAY to a compositor's socket.";
  if (!display) {
    const reason = environment.DISPLAY ? "this session is X11 only" : "WAYLAND_DISPLAY is not set";
    throw new ClocheError("no-display", `there is no Wayland desktop to show windows on: ${reason}`, { hint });
  }
  const path = isAbsolute(display) ? display : join(runtime ?? "/nonexistent", display);
  const socket = connect(path);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(2_000) });
  } catch (cause) {
    throw new ClocheError("no-display", `no compositor answers on ${path}`, { hint, cause });
  } finally {
    socket.destroy();
  }
  return path;
}
