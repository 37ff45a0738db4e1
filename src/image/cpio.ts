// Writes a cpio archive in the "newc" format that the kernel unpacks as initramfs (Documentation/driver-api/early-userspace/buffer-format.rst).

export interface CpioEntry {
  /** Relative, without a leading slash. */
  readonly path: string;
  /** Type and permission bits, as in stat(2). */
  readonly mode: number;
  readonly content?: Uint8Array;
  /** Major and minor number of a device node. */
  readonly device?: readonly [major: number, minor: number];
}

export const directory = (path: string): CpioEntry => ({ path, mode: 0o040755 });
export const file = (path: string, content: Uint8Array, mode = 0o100644): CpioEntry => ({ path, mode, content });

/** The archive with its trailer. The same entries give the same bytes: root owns all, the time is 0. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const trailer = { path: "TRAILER!!!", mode: 0 };
  return Buffer.concat([...entries.flatMap((entry, index) => encode(entry, index + 1)), ...encode(trailer, 0)]);
}

function encode({ path, mode, content, device }: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const size = content?.byteLength ?? 0;
  const [major, minor] = device ?? [0, 0];
  const links = (mode & 0o170000) === 0o040000 ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).toUpperCase().padStart(8, "0")).join("")}`;
  return [pad(Buffer.concat([Buffer.from(header), name])), ...(content ? [pad(Buffer.from(content))] : [])];
}

const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
