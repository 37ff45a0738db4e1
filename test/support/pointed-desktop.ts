// A desktop with a pointer, the test applications, and one machine in which their programs are started.
import { join } from "node:path";
import { startDesktop, type TestDesktop } from "./desktop.ts";
import { type DirectRoot, unpackImage } from "./direct.ts";
import { type Machine, startMachine } from "./machine.ts";
import { Pointer } from "./pointer.ts";
import { addTestApp } from "./test-apps.ts";

export interface PointedDesktop extends AsyncDisposable {
  readonly desktop: TestDesktop;
  readonly pointer: Pointer;
  readonly machine: Machine;
  /** The programs of the machine's image, without it. */
  readonly direct: DirectRoot;
}

/** `options` are those of `cloche run clients`. */
export async function startPointedDesktop(...options: string[]): Promise<PointedDesktop> {
  await using cleanup = new AsyncDisposableStack();
  const desktop = cleanup.use(await startDesktop());
  const { HOME: home = "", XDG_RUNTIME_DIR: runtime = "", WAYLAND_DISPLAY: display = "" } = desktop.environment;
  await addTestApp(home, "clients");
  const pointer = cleanup.use(await Pointer.open(join(runtime, display)));
  const [machine, direct] = await Promise.all([
    startMachine(desktop, "clients", ...options).then((started) => cleanup.use(started)),
    unpackImage(desktop, "clients"),
  ]);
  const resources = cleanup.move();
  return { desktop, pointer, machine, direct, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
