// The nested machine's initramfs: the modules, busybox, and the first program with its settings.
import { readFile, writeFile } from "node:fs/promises";
import { findProgram } from "../../src/find-program.ts";
import { directory, file, writeCpio } from "../../src/image/cpio.ts";
import { packagePath } from "../../src/paths.ts";
import { SetupError } from "../../src/setup/setup-error.ts";

export interface InitramfsPlan {
  /** The archive with the modules. */
  readonly modules: string;
  /** Directories that the machine shows at their own paths, also below /tmp and /run. */
  readonly shown: readonly string[];
  /** The directory of the second file server, which is written to. */
  readonly pictures: string;
  /** The user's store of images. */
  readonly store: string;
}

export async function writeInitramfs(plan: InitramfsPlan, path: string): Promise<void> {
  const busybox = await findProgram("busybox");
  if (busybox === undefined)
    throw new SetupError("Nested machine", "busybox is not installed", "Install busybox-static.");
  const settings = {
    pictures: plan.pictures,
    store: plan.store,
    uid: String(process.getuid?.()),
    gid: String(process.getgid?.()),
    node: process.execPath,
    agent: packagePath("test", "nested", "agent.ts"),
  };
  const program = (target: string, content: Buffer) => file(target, content, 0o100755);
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`);
  const archive = writeCpio([
    directory("bin"),
    program("bin/busybox", await readFile(busybox)),
    program("init", await readFile(packagePath("test", "nested", "init.sh"))),
    file("settings", Buffer.from(lines.join(""))),
    file("shown", Buffer.from(plan.shown.map((entry) => `${entry}\n`).join(""))),
  ]);
  await writeFile(path, Buffer.concat([await readFile(plan.modules), archive]));
}
