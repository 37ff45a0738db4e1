// Pictures of a screen: read from grim's PPM, compared, and written as PNG.
import { crc32, deflateSync } from "node:zlib";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue, a byte each, row by row. */
  readonly pixels: Buffer;
}

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Reads a binary PPM (P6) of 8 bits a sample. */
export function parsePpm(bytes: Buffer): Picture {
  const match = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.toString("latin1", 0, 64));
  if (!match) throw new Error("not a binary PPM of 8 bits a sample");
  const [header, width, height] = [match[0], Number(match[1]), Number(match[2])];
  const pixels = bytes.subarray(header.length, header.length + width * height * 3);
  if (pixels.length !== width * height * 3) throw new Error("the PPM is cut short");
  return { width, height, pixels };
}

export function crop(picture: Picture, region: Region): Picture {
  const rows = Array.from({ length: region.height }, (_, row) => {
    const start = ((region.y + row) * picture.width + region.x) * 3;
    return picture.pixels.subarray(start, start + region.width * 3);
  });
  return { width: region.width, height: region.height, pixels: Buffer.concat(rows) };
}

/** The share of pixels (0 to 1) of which a sample differs by more than `tolerance`. Other sizes differ wholly. */
export function difference(one: Picture, other: Picture, tolerance = 0): number {
  if (one.width !== other.width || one.height !== other.height) return 1;
  let differing = 0;
  for (let at = 0; at < one.pixels.length; at += 3) {
    const differs = [0, 1, 2].some(
      (sample) => Math.abs((one.pixels[at + sample] ?? 0) - (other.pixels[at + sample] ?? 0)) > tolerance,
    );
    if (differs) differing += 1;
  }
  return differing / (one.width * one.height);
}

/** PNG (RFC 2083), 8 bits a sample, no filter. */
export function encodePng({ width, height, pixels }: Picture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Array.from({ length: height }, (_, row) => [
    Buffer.of(0),
    pixels.subarray(row * width * 3, (row + 1) * width * 3),
  ]);
  const chunks = [
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.concat(rows.flat()))),
    pngChunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), ...chunks]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
