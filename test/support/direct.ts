// Programs of an image run on the host's desktop without a machine: what their windows should look like.
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { openImage } from "../../src/image/images.ts";
import { openStore } from "../../src/image/store.ts";
import type { DesktopProcess } from "../../src/setup/headless-desktop.ts";
import type { TestDesktop } from "./desktop.ts";

export interface DirectRoot {
  /** Starts a program of the image as the desktop's user, with an empty home. */
  start(argv: readonly string[]): DesktopProcess;
}

/** Unpacks the image's root below the desktop's own directory, with which it goes. About 10 s. */
export async function unpackImage(desktop: TestDesktop, name: string): Promise<DirectRoot> {
  const { root: file } = await openImage(await openStore(), name);
  const root = join(desktop.user.directory, `root-${name}`);
  await mkdir(root);
  await execa("fsck.erofs", [`--extract=${root}`, "--no-preserve-owner", file], { stdin: "ignore" });
  await chmod(root, 0o755);
  const { XDG_RUNTIME_DIR: runtime = "", WAYLAND_DISPLAY: display = "" } = desktop.environment;
  const socket = "/run/user/1000/wayland-0";
  const variables = {
    HOME: "/home/user",
    USER: "user",
    LANG: "C.UTF-8",
    PATH: "/usr/bin:/bin",
    XDG_RUNTIME_DIR: "/run/user/1000",
    WAYLAND_DISPLAY: "wayland-0",
    XDG_SESSION_TYPE: "wayland",
    GDK_BACKEND: "wayland",
    QT_QPA_PLATFORM: "wayland",
    GSK_RENDERER: "cairo",
  };
  const jail = [
    ...["bwrap", "--die-with-parent", "--unshare-pid", "--ro-bind", root, "/", "--dev", "/dev", "--proc", "/proc"],
    ...["--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/home/user", "--dir", "/run/user/1000", "--clearenv"],
    ...["--bind", join(runtime, display), socket, "--chdir", "/home/user"],
    ...Object.entries(variables).flatMap(([key, value]) => ["--setenv", key, value]),
    ...["--", "dbus-run-session", "--"],
  ];
  return { start: (argv) => desktop.start([...jail, ...argv]) };
}
