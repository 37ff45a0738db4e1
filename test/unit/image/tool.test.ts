// What a tool that builds images leaves behind.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "../../../src/image/tool.ts";
import { needs } from "../../support/require.ts";

const lack = process.geteuid?.() === 0 ? undefined : "only root mounts";

needs("root", lack).parallel("the mounts of a tool that was killed end with it", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "cloche-tool-"));
  const script = 'mount -t tmpfs none "$0" && grep -c "$0" /proc/self/mounts >&2; kill -KILL $$';
  const lines: string[] = [];
  const tool = {
    argv: ["sh", "-c", script, directory],
    failure: "the tool fails",
    writesTo: directory,
    ownMounts: true,
    onLine: (line: string) => void lines.push(line) as undefined,
  };
  await t.throwsAsync(runTool(tool), { message: "the tool fails" });
  t.deepEqual(lines, ["1"]);
  t.false((await readFile("/proc/self/mounts", "utf8")).includes(directory));
  await rm(directory, { recursive: true });
});
