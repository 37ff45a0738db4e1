import { gzipSync, zstdCompressSync } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { extractVmlinux } from "../../../src/image/vmlinux.ts";

const elf = Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(5000, 7)]);

/** A bzImage of one setup sector, with `payload` 16 bytes into the protected-mode part. */
function makeBzImage(payload: Buffer, length = payload.length + 4): Buffer {
  const image = Buffer.concat([Buffer.alloc(1024 + 16), payload, Buffer.alloc(4)]);
  image.writeUInt8(1, 0x1f1);
  image.write("HdrS", 0x202, "latin1");
  image.writeUInt32LE(16, 0x248);
  image.writeUInt32LE(length, 0x24c);
  return image;
}

test("the kernel comes out of a zstd and of a gzip payload", (t) => {
  t.deepEqual(extractVmlinux(makeBzImage(zstdCompressSync(elf))), elf);
  t.deepEqual(extractVmlinux(makeBzImage(gzipSync(elf))), elf);
});

test("a payload beyond the file, in an unknown format, or that is no ELF file is refused", (t) => {
  const refused = { code: "build-failed" };
  t.like(
    t.throws(() => extractVmlinux(makeBzImage(gzipSync(elf), 1 << 30))),
    refused,
  );
  t.like(
    t.throws(() => extractVmlinux(makeBzImage(Buffer.from("\xfd7zXZ-----")))),
    refused,
  );
  t.like(
    t.throws(() => extractVmlinux(makeBzImage(gzipSync(Buffer.from("text"))))),
    refused,
  );
  t.like(
    t.throws(() => extractVmlinux(elf)),
    refused,
  );
});

test("no bytes make it read outside of the file", (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 1200 }),
      (bytes) => t.throws(() => extractVmlinux(Buffer.from(bytes))) !== undefined,
    ),
  );
});
