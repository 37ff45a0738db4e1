// Reads of a 64-bit ELF file which loader it asks for (ELF-64 Object File Format, version 1.5).
import { type FileHandle, open } from "node:fs/promises";
import { ClocheError } from "../errors.ts";

/** Offsets in the file header, and in one entry of the program headers; bytes. */
const header = { bytes: 64, class: 4, order: 5, machine: 18, tableAt: 32, entryBytes: 54, entries: 56 } as const;
const entry = { bytes: 56, type: 0, offset: 8, fileBytes: 32 } as const;
const x86_64 = 62;
const interpreterType = 3;
/** Bytes of the longest path that the kernel takes. */
const maxPathBytes = 4096;

/** The absolute path of the program's loader, or undefined for a static program. Throws `unsupported` for what is not a program of this machine. */
export async function readLoader(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const table = await readTable(file, path);
    const place = findLoader(table);
    if (place === undefined) return undefined;
    if (place.bytes > maxPathBytes) throw notOurs(path);
    const text = (await readAt(file, place.offset, place.bytes)).toString("utf8").replace(/\0+$/, "");
    if (!text.startsWith("/") || text.includes("\0")) throw notOurs(path);
    return text;
  } finally {
    await file.close();
  }
}

async function readTable(file: FileHandle, path: string): Promise<Buffer> {
  const place = findTable(await readAt(file, 0, header.bytes));
  if (place === undefined) throw notOurs(path);
  return await readAt(file, place.offset, place.bytes);
}

export interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** Where the program headers are; undefined for what is not a little-endian 64-bit x86 program. */
export function findTable(bytes: Buffer): Place | undefined {
  if (bytes.length < header.bytes || bytes.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  if (bytes.readUInt8(header.class) !== 2 || bytes.readUInt8(header.order) !== 1) return undefined;
  if (bytes.readUInt16LE(header.machine) !== x86_64 || bytes.readUInt16LE(header.entryBytes) !== entry.bytes)
    return undefined;
  return { offset: toNumber(bytes, header.tableAt), bytes: bytes.readUInt16LE(header.entries) * entry.bytes };
}

/** Where the loader's path is; undefined where there is none. */
export function findLoader(table: Buffer): Place | undefined {
  for (let at = 0; at + entry.bytes <= table.length; at += entry.bytes) {
    if (table.readUInt32LE(at + entry.type) !== interpreterType) continue;
    return { offset: toNumber(table, at + entry.offset), bytes: toNumber(table, at + entry.fileBytes) };
  }
  return undefined;
}

/** At most 2^53 - 1: no file is longer. */
const toNumber = (bytes: Buffer, at: number): number => Number(BigInt.asUintN(53, bytes.readBigUInt64LE(at)));

/** As much of it as the file has. */
async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

const notOurs = (path: string) =>
  new ClocheError("unsupported", `${path} is not a 64-bit x86 program`, {
    hint: "A script that starts it cannot be taken into the jail: name the program itself.",
  });
