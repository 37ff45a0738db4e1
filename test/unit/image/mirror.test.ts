import test from "ava";
import { parseDeb822Sources, parseOneLineSources } from "../../../src/image/apt-sources.ts";
import { chooseMirror, sourceLines } from "../../../src/image/mirror.ts";

const debian12 = parseDeb822Sources(`Types: deb
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /keys/debian.gpg
`);

test("the host's Debian archive is taken, with the key that signs it, for our release", (t) => {
  t.deepEqual(sourceLines(chooseMirror(debian12), true), [
    "deb [signed-by=/keys/debian.gpg] http://archive.example/debian trixie main",
    "deb [signed-by=/keys/debian.gpg] http://archive.example/debian trixie-updates main",
    "deb [signed-by=/keys/debian.gpg] http://archive.example/debian-security trixie-security main",
    "deb [signed-by=/keys/debian.gpg] http://archive.example/debian trixie-backports main",
  ]);
});

test("an archive of another distribution, a third party's, or a disc is not Debian's", (t) => {
  const sources = parseOneLineSources(`deb http://archive.example/ubuntu noble main
deb http://third.example/apt stable-tools main
deb http://third.example/flat ./
deb cdrom:[Debian]/ trixie main
`);
  t.deepEqual(chooseMirror(sources), {});
  t.deepEqual(sourceLines({}, true), []);
});

test("CLOCHE_DEBIAN_MIRROR goes before the host's, and may name a security archive", (t) => {
  t.deepEqual(chooseMirror(debian12, "http://mine.example/debian"), { archive: "http://mine.example/debian" });
  t.deepEqual(chooseMirror(debian12, "http://m.example/d  http://m.example/s"), {
    archive: "http://m.example/d",
    security: "http://m.example/s",
  });
  t.is(chooseMirror(debian12, "").archive, "[signed-by=/keys/debian.gpg] http://archive.example/debian");
});
