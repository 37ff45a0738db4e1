import test from "ava";
import { Bucket } from "../../../portals/limits.ts";

test("so many at once, then one each time it refills, and no more than before after a pause", (t) => {
  let now = 0;
  const bucket = new Bucket(2, 1_000, () => now);
  t.deepEqual([bucket.take(), bucket.take(), bucket.take()], [true, true, false]);
  now = 999;
  t.false(bucket.take());
  now = 1_000;
  t.deepEqual([bucket.take(), bucket.take()], [true, false]);
  now = 60_000;
  t.deepEqual([bucket.take(), bucket.take(), bucket.take()], [true, true, false]);
});

test("what is given back can be taken again, up to the size", (t) => {
  const bucket = new Bucket(1, 1_000, () => 0);
  bucket.giveBack();
  t.deepEqual([bucket.take(), bucket.take()], [true, false]);
  bucket.giveBack();
  t.deepEqual([bucket.take(), bucket.take()], [true, false]);
});
