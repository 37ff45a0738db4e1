import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { filesBelow } from "../support/leftovers.ts";
import { launchGuest, shellIn, useFreshDirectories } from "./guest.ts";

const directories = await useFreshDirectories();
test.after.always(() => directories.remove());

async function hostDirectory(name: string): Promise<string> {
  const directory = join(directories.path, name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "letter.txt"), "from the host\n");
  return directory;
}

test.serial("a home lasts from one launch to the next, and belongs to the instance alone", async (t) => {
  {
    await using work = await launchGuest("foot@work", { isTemporary: false });
    t.is(await shellIn(work, "echo mine > ~/note && sync && stat -c %U ~/note"), "user");
    await work.stop(3000);
  }
  await using again = await launchGuest("foot@work", { isTemporary: false });
  await using home = await launchGuest("foot@home", { isTemporary: false });
  t.is(await shellIn(again, "cat ~/note"), "mine");
  t.is(await shellIn(home, "ls ~/note 2>&1 | grep -c 'No such file'"), "1");
  t.is(await shellIn(home, "cat /proc/sys/kernel/hostname"), "foot-home");
});

test.serial("a temporary home leaves nothing on the host", async (t) => {
  const before = filesBelow(join(directories.path, "data"));
  await using guest = await launchGuest("foot@temp");
  t.is(await shellIn(guest, "echo secret > ~/note && cat ~/note"), "secret");
  await guest.stop(3000);
  t.deepEqual(filesBelow(join(directories.path, "data")), before);
});

test.serial("a link in a share leads nowhere outside it", async (t) => {
  const share = await hostDirectory("links");
  await writeFile(join(directories.path, "outside.txt"), "outside\n");
  await using guest = await launchGuest("foot@links", { shares: [share] });
  await shellIn(guest, "ln -s ../outside.txt /mnt/links/up; ln -s /etc/hostname /mnt/links/host");
  t.is(await shellIn(guest, "cat /mnt/links/up 2>/dev/null || echo refused"), "refused");
  t.is(await shellIn(guest, "cat /mnt/links/../../etc/shadow 2>/dev/null | head -c 4 | grep -c root || true"), "0");
});
