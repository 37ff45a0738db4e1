// The initramfs: the guest's agent as /init before the kernel's modules. Cheap, so a new agent needs no new root.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { putBlob } from "./blobs.ts";
import { type CpioEntry, directory, file, writeCpio } from "./cpio.ts";
import type { Blob } from "./document.ts";
import { guardSpace } from "./space.ts";
import type { Store } from "./store.ts";
import { withWorkDirectory } from "./work-directory.ts";

/** Directories that the agent mounts on; /dev/console is what the kernel opens for it. */
const skeleton: readonly CpioEntry[] = [
  ...["dev", "proc", "sys", "run", "root", "newroot"].map(directory),
  { path: "dev/console", mode: 0o020600, device: [5, 1] },
];

/** As PipeWire names its modules. */
export const mediaModule = "libpipewire-module-cloche-media.so";

/** What of Cloche's own runs in the guest. */
export interface GuestParts {
  /** The agent's executable. */
  readonly agent: string;
  /** PipeWire's module for video streams. */
  readonly media: string;
}

/** The first of the two archives; the kernel unpacks them one after the other. */
export const guestArchive = (agent: Uint8Array, media: Uint8Array): Buffer =>
  writeCpio([...skeleton, file("init", agent, 0o100755), file(mediaModule, media, 0o100644)]);

/** Stores the initramfs made of our own parts and the archive of the kernel's modules. */
export async function buildInitramfs(store: Store, parts: GuestParts, modulesPath: string): Promise<Blob> {
  return await withWorkDirectory(store, async (work) => {
    const path = join(work, "initramfs.cpio");
    const ours = guestArchive(await readFile(parts.agent), await readFile(parts.media));
    const bytes = Buffer.concat([ours, await readFile(modulesPath)]);
    await guardSpace(path, () => writeFile(path, bytes));
    return await putBlob(store, path);
  });
}
