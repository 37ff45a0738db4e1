import test from "ava";
import { directory, file, writeCpio } from "../../../src/image/cpio.ts";
import { guestArchive, mediaModule } from "../../../src/image/initramfs.ts";

/** Reads newc as the kernel does: header, name and content, each padded to four bytes. */
function readCpio(archive: Buffer): { path: string; mode: number; content: Buffer; major: number; minor: number }[] {
  const entries = [];
  for (let at = 0; at < archive.length; ) {
    const field = (index: number) =>
      Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    if (archive.toString("latin1", at, at + 6) !== "070701") throw new Error(`no header at ${at}`);
    const [mode, size, nameSize, major, minor] = [field(1), field(6), field(11), field(9), field(10)];
    const path = archive.toString("utf8", at + 110, at + 110 + nameSize - 1);
    const start = at + ((110 + nameSize + 3) & ~3);
    entries.push({ path, mode, content: archive.subarray(start, start + size), major, minor });
    at = start + ((size + 3) & ~3);
  }
  return entries;
}

test("what is written is read back, and a trailer ends it", (t) => {
  const archive = writeCpio([
    directory("modules"),
    file("modules/00-a.ko", Buffer.from("12345")),
    file("x", Buffer.of()),
  ]);
  t.is(archive.length % 4, 0);
  t.deepEqual(
    readCpio(archive).map(({ path, mode, content }) => [path, mode, content.toString()]),
    [
      ["modules", 0o040755, ""],
      ["modules/00-a.ko", 0o100644, "12345"],
      ["x", 0o100644, ""],
      ["TRAILER!!!", 0, ""],
    ],
  );
});

test("the first header has the bytes that the format's description says", (t) => {
  const header = writeCpio([file("a", Buffer.from("hi"))]).toString("latin1", 0, 116);
  t.is(
    header,
    "070701" +
      "00000001" +
      "000081A4" +
      "00000000" +
      "00000000" +
      "00000001" +
      "00000000" +
      "00000002" +
      "00000000" +
      "00000000" +
      "00000000" +
      "00000000" +
      "00000002" +
      "00000000" +
      "a\0" +
      "hi\0\0",
  );
});

test("the agent is an executable /init with a console to write on, beside PipeWire's module", (t) => {
  const entries = readCpio(guestArchive(Buffer.from("agent"), Buffer.from("module")));
  t.like(
    entries.find(({ path }) => path === "init"),
    { mode: 0o100755, content: Buffer.from("agent") },
  );
  t.like(
    entries.find(({ path }) => path === mediaModule),
    { mode: 0o100644, content: Buffer.from("module") },
  );
  t.like(
    entries.find(({ path }) => path === "dev/console"),
    { mode: 0o020600, major: 5, minor: 1 },
  );
  t.deepEqual(
    guestArchive(Buffer.from("agent"), Buffer.from("module")),
    guestArchive(Buffer.from("agent"), Buffer.from("module")),
  );
});
