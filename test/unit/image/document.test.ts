import test from "ava";
import fc from "fast-check";
import { type ImageDocument, parseDocument } from "../../../src/image/document.ts";

const digest = "0123456789abcdef".repeat(4);
const image: ImageDocument = {
  formatVersion: 1,
  name: "foot",
  recipeDigest: digest,
  created: "2026-11-23T00:02:44.022Z",
  packages: [{ name: "libstdc++6", version: "1:14.2.0-19~deb13u1" }],
  kernel: { digest, size: 57_646_496, release: "6.12.107+deb13-amd64" },
  initrd: { digest, size: 1, modules: digest, guest: digest },
  root: { digest, size: 419_860_480, format: "erofs" },
};
const parse = (value: unknown) => parseDocument(JSON.stringify(value), "images/foot.json", "image");

test("an image's document is read as it was written", (t) => {
  t.deepEqual(parse(image), image);
});

const broken: Record<string, unknown> = {
  "another format's version": { ...image, formatVersion: 2 },
  "a name that leaves the store": { ...image, name: "../../etc/x" },
  "a digest that is a path": { ...image, root: { ...image.root, digest: `../${digest.slice(3)}` } },
  "another format of the root": { ...image, root: { ...image.root, format: "qcow2" } },
  "a field that is not known": { ...image, backingFile: "/etc/passwd" },
  "a size below zero": { ...image, kernel: { ...image.kernel, size: -1 } },
  "a missing part": { ...image, initrd: undefined },
  "no object": [image],
};
for (const [what, value] of Object.entries(broken)) {
  test(`a document with ${what} is corrupt`, (t) => {
    t.like(
      t.throws(() => parse(value)),
      { code: "corrupt-image" },
    );
  });
}

test("the error names the file and the field", (t) => {
  const error = t.throws(() => parse({ ...image, root: { ...image.root, digest: "x" } }));
  t.regex(error?.message ?? "", /images\/foot\.json.*\/root\/digest/);
});

test("no bytes are read as a document, or throw anything but a corrupt image", (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const error = t.throws(() => parseDocument(text, "x.json", "image"));
      return error !== undefined && "code" in error && error.code === "corrupt-image";
    }),
  );
});
