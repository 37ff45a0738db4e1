import test from "ava";
import { Console, printable } from "../../../src/instance/console.ts";

test("control characters and escapes do not reach the terminal", (t) => {
  t.is(printable("\u001b[31mred\u001b[0m \u0007bell\u009b2J\ttab"), "red bell2J\ttab");
});

test("only the last lines are kept", (t) => {
  const console = new Console();
  for (let line = 0; line < 1000; line++) console.push(`line ${line}`);
  t.deepEqual(console.excerpt(2), ["line 998", "line 999"]);
  t.true(console.excerpt(10_000).length < 100);
});

test("a panic is found and told without its time stamp", (t) => {
  const console = new Console();
  console.push("[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs");
  console.push("[    1.234600] CPU: 0 PID: 1");
  t.is(console.panic, "Kernel panic - not syncing: VFS: Unable to mount root fs");
});

test("an excerpt begins before the panic, however much the kernel prints behind it", (t) => {
  const console = new Console();
  for (const line of ["a", "b", "Kernel panic - not syncing: x", ...Array.from({ length: 30 }, () => "trace")])
    console.push(line);
  t.deepEqual(console.excerpt(4), ["a", "b", "Kernel panic - not syncing: x", "trace"]);
});
