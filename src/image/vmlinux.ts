// Takes the uncompressed kernel out of a bzImage (Documentation/arch/x86/boot.rst): it boots fastest, by PVH.
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { ClocheError } from "../errors.ts";

/** Offsets in the setup header, bytes. */
const setupSectors = 0x1f1;
const magic = 0x202;
const payloadOffset = 0x248;
const payloadLength = 0x24c;

/** The ELF file inside. Throws `build-failed` where it is not a bzImage, or compressed in a way that is not known. */
export function extractVmlinux(bzImage: Buffer): Buffer {
  if (bzImage.length < 0x260 || bzImage.toString("latin1", magic, magic + 4) !== "HdrS")
    throw fail("it is not a bzImage");
  const sectors = bzImage.readUInt8(setupSectors) || 4;
  const start = (sectors + 1) * 512 + bzImage.readUInt32LE(payloadOffset);
  const end = start + bzImage.readUInt32LE(payloadLength);
  if (end > bzImage.length || end < start + 8) throw fail("its payload lies outside of it");
  // The last four bytes are the uncompressed size.
  const elf = decompress(bzImage.subarray(start, end - 4));
  if (elf.toString("latin1", 0, 4) !== "\x7fELF") throw fail("its payload is not an ELF file");
  return elf;
}

function decompress(payload: Buffer): Buffer {
  const first = payload.readUInt32BE(0);
  if (first === 0x28b52ffd) return zstdDecompressSync(payload);
  if (first >>> 16 === 0x1f8b) return gunzipSync(payload);
  throw fail(`its payload begins with ${first.toString(16)}, neither zstd nor gzip`);
}

const fail = (reason: string) => new ClocheError("build-failed", `the kernel cannot be unpacked: ${reason}`);
