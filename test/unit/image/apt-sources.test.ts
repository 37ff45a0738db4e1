import test from "ava";
import fc from "fast-check";
import { parseDeb822Sources, parseOneLineSources } from "../../../src/image/apt-sources.ts";

test("a one-line source gives its URI, suite, components and keyring", (t) => {
  const text = `# a comment
deb-src http://archive.example/debian trixie main
deb [arch=amd64 signed-by=/etc/apt/key.asc] http://archive.example/debian trixie main contrib # end
`;
  t.deepEqual(parseOneLineSources(text), [
    {
      uri: "http://archive.example/debian",
      suite: "trixie",
      components: ["main", "contrib"],
      signedBy: "/etc/apt/key.asc",
    },
  ]);
});

test("a deb822 paragraph gives every suite of every URI", (t) => {
  const text = `Types: deb deb-src
# a note between the fields
URIs: http://a.example/debian
 http://b.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
  const found = parseDeb822Sources(text);
  t.deepEqual(
    found.map(({ uri, suite }) => `${uri} ${suite}`),
    [
      "http://a.example/debian bookworm",
      "http://a.example/debian bookworm-updates",
      "http://b.example/debian bookworm",
      "http://b.example/debian bookworm-updates",
    ],
  );
  t.is(found[0]?.signedBy, "/usr/share/keyrings/debian-archive-keyring.gpg");
});

test("a disabled paragraph, one of sources only, and an embedded key are left out", (t) => {
  const paragraph = (extra: string) =>
    `Types: deb\nURIs: http://a.example\nSuites: trixie\nComponents: main\n${extra}\n`;
  t.deepEqual(parseDeb822Sources(paragraph("Enabled: no")), []);
  t.deepEqual(parseDeb822Sources("Types: deb-src\nURIs: http://a.example\nSuites: trixie\n"), []);
  const embedded = paragraph(
    "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----",
  );
  t.false("signedBy" in (parseDeb822Sources(embedded)[0] ?? {}));
});

test("no text makes a parser throw", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        parseOneLineSources(text);
        parseDeb822Sources(text);
      }),
    ),
  );
});
