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

/** The first of the two archives; the kernel unpacks them one after the other. */
export const agentArchive = (agent: Uint8Array): Buffer => writeCpio([...skeleton, file("init", agent, 0o100755)]);

/** Stores the initramfs made of the agent's executable and the archive of modules. */
export async function buildInitramfs(store: Store, agentPath: string, modulesPath: string): Promise<Blob> {
  return await withWorkDirectory(store, async (work) => {
    const path = join(work, "initramfs.cpio");
    const bytes = Buffer.concat([agentArchive(await readFile(agentPath)), await readFile(modulesPath)]);
    await guardSpace(path, () => writeFile(path, bytes));
    return await putBlob(store, path);
  });
}
