// Files that a program names by its descriptors: those of the instance's shares, opened on the host without leaving them.
import { fstatSync } from "node:fs";
import { openBeneath } from "../native/bindings/index.ts";
import * as fdpass from "../native/fdpass/index.ts";
import type { GuestFile } from "../src/link/protocol.ts";
import { InvalidArgument } from "./readers.ts";

export interface SharedDirectory {
  readonly tag: string;
  /** On the host. */
  readonly directory: string;
  readonly readOnly: boolean;
}

export class SharedFiles {
  readonly #shares: readonly SharedDirectory[];

  constructor(shares: readonly SharedDirectory[]) {
    this.#shares = shares;
  }

  /** Whether the guest cannot write there, whatever it says. */
  isReadOnly(file: GuestFile | undefined): boolean {
    return file?.type === "shared" && this.#shares.find(({ tag }) => tag === file.tag)?.readOnly === true;
  }

  /**
   * A descriptor of the file on the host, the caller's to close. `path` opens nothing (O_PATH), `open` as the program has it open.
   * Throws `InvalidArgument` for what the host cannot reach, or what is neither a file nor a directory.
   */
  open(file: GuestFile | undefined, how: "path" | "open"): number {
    if (file?.type !== "shared")
      throw new InvalidArgument(
        "the host can only be given files that lie in a share, in the home or in the documents",
      );
    const share = this.#shares.find(({ tag }) => tag === file.tag);
    if (share === undefined) throw new InvalidArgument("no share has that name");
    const access = how === "path" ? "path" : file.writable && !share.readOnly ? "write" : "read";
    let fd: number;
    try {
      fd = openBeneath(share.directory, file.path, access);
    } catch {
      throw new InvalidArgument("there is no such file in the share");
    }
    const stat = fstatSync(fd);
    if (stat.isFile() || (stat.isDirectory() && access === "path")) return fd;
    fdpass.close(fd);
    throw new InvalidArgument("neither a file nor a directory");
  }
}
