import test from "ava";
import { parseCopyReport } from "../../../bench/wayland/copy-reports.ts";
import { parseMaps } from "../../../bench/wayland/window-memory.ts";

test("the guest's report is found in a line of the log", (t) => {
  const counts = "frames 120, bytes damaged 49766400, bytes copied 49770000";
  const line = `2026-01-01T00:00:00Z guest wayland: program 3 ended: ${counts}`;
  t.deepEqual(parseCopyReport(line), { frames: 120, bytes: 49_770_000 });
  t.is(parseCopyReport(`2026-01-01T00:00:00Z guest wayland: program 3: ${counts}`), undefined);
});

test("of a process's mappings only memfds count", (t) => {
  const maps = `7f00-7f10 rw-s 00000000 00:01 1234 /memfd:window (deleted)
7f10-7f20 r-xp 00000000 08:01 99 /usr/lib/libc.so.6
7f20-7f30 rw-p 00000000 00:00 0 [heap]
`;
  t.deepEqual(parseMaps(maps), [1234]);
});
