import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { findLoader, findTable, readLoader } from "../../../src/jail/elf.ts";

const directory = await mkdtemp(join(tmpdir(), "cloche-elf-"));
test.after.always(() => rm(directory, { recursive: true }));

/** A file header and one program header of this type, with `loader` behind them. */
function makeElf(type: number, loader: string, changes: (elf: Buffer) => void = () => {}): Buffer {
  const elf = Buffer.alloc(64 + 56 + loader.length);
  elf.write("\x7fELF", "latin1");
  elf.writeUInt8(2, 4);
  elf.writeUInt8(1, 5);
  elf.writeUInt16LE(62, 18);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(type, 64);
  elf.writeBigUInt64LE(120n, 64 + 8);
  elf.writeBigUInt64LE(BigInt(loader.length), 64 + 32);
  elf.write(loader, 120, "latin1");
  changes(elf);
  return elf;
}

async function loaderOf(contents: Buffer | string): Promise<string | undefined> {
  const path = join(directory, "program");
  await writeFile(path, contents);
  return await readLoader(path);
}

test.serial("this process's own program has a loader that is there", async (t) => {
  const loader = await readLoader(process.execPath);
  t.regex(loader ?? "", /^\/.*ld/);
  await t.notThrowsAsync(access(loader ?? ""));
});

test.serial("the loader is the path behind the program's interpreter entry", async (t) => {
  t.is(await loaderOf(makeElf(3, "/lib64/ld-linux-x86-64.so.2\0")), "/lib64/ld-linux-x86-64.so.2");
});

test.serial("a program without such an entry is static", async (t) => {
  t.is(await loaderOf(makeElf(1, "")), undefined);
});

for (const [what, contents] of [
  ["a script", "#!/bin/sh\nexec cloud-hypervisor\n"],
  ["an empty file", ""],
  ["a program of another machine", makeElf(1, "", (elf) => elf.writeUInt16LE(183, 18))],
  ["a 32-bit program", makeElf(1, "", (elf) => elf.writeUInt8(1, 4))],
  ["a loader by a relative path", makeElf(3, "ld.so\0")],
  ["a loader's path that is too long", makeElf(3, `/${"x".repeat(5_000)}\0`)],
  ["a loader's path beyond the end", makeElf(3, "/ld\0", (elf) => elf.writeBigUInt64LE(2n ** 40n, 64 + 8))],
] as const) {
  test.serial(`${what} is refused`, async (t) => {
    t.like(await t.throwsAsync(loaderOf(contents)), { code: "unsupported" });
  });
}

test("no bytes make the readers throw", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      findTable(Buffer.from(bytes));
      findLoader(Buffer.from(bytes));
    }),
  );
  t.pass();
});
