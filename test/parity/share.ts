// Directories of the host: live in both directions, and read-only where they are to be, enforced on the host.
import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "./subject.ts";

/** What root in the guest tries on a read-only share. */
const attacks = [
  "echo x > /mnt/read-only/letter.txt",
  "mount -o remount,rw /mnt/read-only && echo x > /mnt/read-only/letter.txt",
  "mkdir /tmp/again && mount -t virtiofs -o rw share1 /tmp/again && echo x > /tmp/again/letter.txt",
  "chmod 777 /mnt/read-only/letter.txt",
  "rm -f /mnt/read-only/letter.txt && test ! -e /mnt/read-only/letter.txt",
  "touch /mnt/read-only/new",
];

export function declareShare({ test, world, first }: Subject): void {
  test("a share is live in both directions, and its files belong to the user", async (t) => {
    const guest = await first();
    const { shares, desktop } = await world();
    const directory = join(shares, "writable");
    t.is(await guest.shell("cat /mnt/writable/letter.txt && echo answer > /mnt/writable/answer.txt"), "from the host");
    t.is(await readFile(join(directory, "answer.txt"), "utf8"), "answer\n");
    t.is((await stat(join(directory, "answer.txt"))).uid, (await stat(desktop.user.directory)).uid);
    await writeFile(join(directory, "later.txt"), "later\n");
    t.is(await guest.shell("cat /mnt/writable/later.txt"), "later");
  });

  test("a read-only share can be read, and nothing in it changed by the guest's root", async (t) => {
    const guest = await first();
    const directory = join((await world()).shares, "read-only");
    const digest = async () =>
      createHash("sha256")
        .update(await readFile(join(directory, "letter.txt")))
        .digest("hex");
    const before = await digest();
    const script = attacks.map((attack) => `(${attack}) 2>/dev/null; echo $?`).join("\n");
    const [text, ...statuses] = (await guest.shell(`cat /mnt/read-only/letter.txt\n${script}`, "root")).split("\n");
    t.is(text, "from the host");
    t.is(statuses.length, attacks.length);
    for (const [index, status] of statuses.entries()) t.not(status, "0", attacks[index] ?? "");
    t.is(await digest(), before);
    t.deepEqual(await readdir(directory), ["letter.txt"]);
  });
}
