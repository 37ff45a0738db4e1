import test from "ava";
import { takePairs } from "../../../bench/pairs.ts";

test("each side is as often first as second", async (t) => {
  const order: string[] = [];
  const side = (name: string, value: number) => async () => {
    order.push(name);
    return value;
  };
  t.deepEqual(await takePairs(2, side("ours", 1), side("reference", 2)), [
    { ours: 1, reference: 2 },
    { ours: 1, reference: 2 },
  ]);
  t.deepEqual(order, ["reference", "ours", "ours", "reference"]);
});
