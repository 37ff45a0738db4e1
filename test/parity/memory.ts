// A guest that runs out of memory.
import type { Subject } from "./subject.ts";

export function declareMemory({ test, first }: Subject): void {
  test("a command that takes all of the guest's memory is killed, the log says so, and the guest goes on", async (t) => {
    const guest = await first();
    const readAgain = async () => Number(await guest.shell("sed -n 's/^workingset_refault_file //p' /proc/vmstat"));
    const before = await readAgain();
    // What it reads until the end of the line is kept, and the line has none.
    const { exitCode } = await guest.exec(["tail", "/dev/zero"]);
    t.is(exitCode, 128 + 9);
    t.regex(await guest.log(), /Out of memory: Killed process \d+ \(tail\)/);
    // A guest that reads its programs from the disk again and again stands still.
    t.true((await readAgain()) - before < 5_000, `${before} and ${await readAgain()} pages were read again`);
    t.is(await guest.shell("echo still here"), "still here");
  });
}
