import test from "ava";
import { difference, parseStat, readUsage, scale, total, treeOf } from "../../../bench/wayland/cpu-time.ts";

const stat = (name: string) => `42 (${name}) S 7 42 42 0 -1 4194304 100 0 0 0 150 25 9 9 20 0 4 0 1000 2000 300`;

test("a process's time is user and system, without that of its children", (t) => {
  t.deepEqual(parseStat(stat("sway")), { pid: 42, parent: 7, name: "sway", seconds: 1.75 });
});

test("a name with spaces and parentheses does not shift the fields", (t) => {
  t.deepEqual(parseStat(stat("a) S 1 (b")), { pid: 42, parent: 7, name: "a) S 1 (b", seconds: 1.75 });
});

test("a tree is its root and all below it", (t) => {
  t.true(treeOf([process.ppid]).some(({ pid }) => pid === process.pid));
  t.deepEqual(treeOf([]), []);
});

test("what is used grows", (t) => {
  const before = readUsage([process.pid]);
  for (let round = 0; round < 3e7; round++) Math.sqrt(round);
  t.true(total(difference(before, readUsage([process.pid]))) >= 0);
});

test("a program that came later counts whole", (t) => {
  const used = difference(new Map([["qemu", 1]]), new Map(Object.entries({ qemu: 3, waypipe: 2 })));
  t.deepEqual(Object.fromEntries(scale(used, 10)), { qemu: 20, waypipe: 20 });
  t.is(total(used), 4);
});
