// Commands in the guest: their streams, their statuses and signals.
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "./subject.ts";

export function declareExec({ test, world, first }: Subject): void {
  test("standard output and standard error come apart, and an exit status is carried", async (t) => {
    const outcome = await (await first()).exec(["sh", "-c", "echo out; echo err >&2; exit 77"]);
    t.like(outcome, { stdout: "out", stderr: "err", exitCode: 77 });
  });

  test("a command that a signal ends, and one that does not exist, have the shell's statuses", async (t) => {
    const guest = await first();
    t.is((await guest.exec(["sh", "-c", "kill -TERM $$"])).exitCode, 128 + 15);
    t.is((await guest.exec(["no-such-command"])).exitCode, 127);
  });

  test("a megabyte goes in and comes out unchanged", async (t) => {
    const guest = await first();
    const { desktop } = await world();
    const bytes = randomBytes(2 ** 20);
    const file = join(desktop.user.directory, "bytes");
    await writeFile(file, bytes, { mode: 0o644 });
    const program = join(desktop.user.checkout, "bin", "cloche");
    const pipe = `${program} exec ${guest.name} -- cat < ${file} | sha256sum`;
    const { stdout } = await desktop.start(["sh", "-c", pipe]);
    t.is(stdout.split(" ")[0], createHash("sha256").update(bytes).digest("hex"));
  });

  test("a signal to exec reaches the command", async (t) => {
    const command = (await first()).exec([
      "sh",
      "-c",
      "trap 'echo caught; exit 5' USR1; echo up; while :; do sleep 0.1; done",
    ]);
    for await (const line of command) if (line === "up") command.kill("SIGUSR1");
    t.like(await command, { stdout: "up\ncaught", exitCode: 5 });
  });
}
