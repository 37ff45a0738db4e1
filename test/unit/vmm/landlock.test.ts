import test from "ava";
import { judgeLandlock } from "../../../src/vmm/landlock.ts";

const modules = "lockdown,capability,landlock,yama,apparmor\n";

test("a new enough kernel that has it switched on lacks nothing", (t) => {
  for (const kernel of ["6.2.0", "6.12.117+deb13-amd64", "7.0-rc1", "10.1"])
    t.is(judgeLandlock(kernel, modules), undefined);
});

test("where the list of modules cannot be read, the version decides", (t) => {
  t.is(judgeLandlock("6.12.0", undefined), undefined);
  t.regex(judgeLandlock("6.1.0-30-amd64", undefined) ?? "", /takes Linux 6\.2, and this is 6\.1\.0-30-amd64/);
});

test("an older kernel, or one that has it switched off, lacks it", (t) => {
  t.regex(judgeLandlock("5.15.0", modules) ?? "", /takes Linux 6\.2/);
  t.regex(judgeLandlock("6.12.0", "capability,yama\n") ?? "", /switched off/);
});
