import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import test from "ava";
import { checkMountPoints, parseShare, planShare } from "../../../src/files/share.ts";

const temporary = () => mkdtemp(join(tmpdir(), "cloche-test-"));

test("a share is writable unless :ro is said", async (t) => {
  const directory = await temporary();
  t.like(await parseShare(directory, 0), { directory, readOnly: false, mountPoint: `/mnt/${basename(directory)}` });
  t.like(await parseShare(`${directory}:ro`, 1), { directory, readOnly: true, tag: "share1" });
  await rm(directory, { recursive: true });
});

test("symlinks are followed once, before anything starts", async (t) => {
  const directory = await temporary();
  await mkdir(join(directory, "real"));
  await symlink("real", join(directory, "link"));
  t.is((await parseShare(join(directory, "link"), 0)).directory, join(directory, "real"));
  await rm(directory, { recursive: true });
});

test("what is not a directory is refused by name", async (t) => {
  const directory = await temporary();
  await writeFile(join(directory, "file"), "");
  t.regex((await t.throwsAsync(parseShare(join(directory, "file"), 0)))?.message ?? "", /is not a directory/);
  t.regex((await t.throwsAsync(parseShare(join(directory, "none"), 0)))?.message ?? "", /cannot be opened/);
  t.regex((await t.throwsAsync(parseShare("/", 0)))?.message ?? "", /whole file system/);
  await rm(directory, { recursive: true });
});

test("two shares of one name are refused", (t) => {
  const share = (directory: string) => ({ tag: "x", directory, readOnly: false, mountPoint: "/mnt/a" });
  t.like(
    t.throws(() => checkMountPoints([share("/x/a"), share("/y/a")])),
    { code: "usage" },
  );
});

test("a read-only share is served from a read-only mount by a read-only server", (t) => {
  const plan = planShare({ tag: "share0", directory: "/data", readOnly: true, mountPoint: "/mnt/data" }, "/run/files");
  t.true(plan.argv.includes("--readonly"));
  t.deepEqual(plan.binds[1], { source: "/data", target: "/share", access: "ro" });
  t.is(plan.network, "none");
});
