import { inflateSync } from "node:zlib";
import test from "ava";
import { crop, difference, encodePng, parsePpm } from "../../../src/setup/picture.ts";

const ppm = Buffer.concat([Buffer.from("P6\n2 2\n255\n"), Buffer.from([0, 0, 0, 10, 10, 10, 255, 0, 0, 0, 0, 255])]);

test("a PPM is read, and one that is cut short is refused", (t) => {
  t.like(parsePpm(ppm), { width: 2, height: 2 });
  t.throws(() => parsePpm(ppm.subarray(0, -1)), { message: /cut short/ });
  t.throws(() => parsePpm(Buffer.from("P5\n2 2\n255\n")), { message: /PPM/ });
});

test("a region is cut out of its picture", (t) => {
  const region = crop(parsePpm(ppm), { x: 1, y: 0, width: 1, height: 2 });
  t.deepEqual([...region.pixels], [10, 10, 10, 0, 0, 255]);
});

test("the difference is the share of pixels beyond the tolerance", (t) => {
  const picture = parsePpm(ppm);
  const other = { ...picture, pixels: Buffer.from([0, 0, 0, 15, 10, 10, 0, 0, 0, 0, 0, 255]) };
  t.is(difference(picture, picture), 0);
  t.is(difference(picture, other), 0.5);
  t.is(difference(picture, other, 8), 0.25);
  t.is(difference(picture, crop(picture, { x: 0, y: 0, width: 1, height: 1 })), 1);
});

test("a PNG holds the pixels row by row", (t) => {
  const png = encodePng(parsePpm(ppm));
  t.is(png.toString("latin1", 1, 4), "PNG");
  const length = png.readUInt32BE(33);
  t.deepEqual([...inflateSync(png.subarray(41, 41 + length))], [0, 0, 0, 0, 10, 10, 10, 0, 255, 0, 0, 0, 0, 255]);
});
