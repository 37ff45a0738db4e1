// The end of an instance: its monitor is killed, or it is stopped in good order. Nothing of it is left.
import { join } from "node:path";
import { scaled } from "../../src/deadlines.ts";
import { filesBelow, mountsNaming, processesNaming } from "../support/leftovers.ts";
import { pidGone } from "../support/pid-gone.ts";
import type { Subject } from "./subject.ts";
import type { World } from "./world.ts";

const goneMs = 10_000;

/** What is left of the instance `id`. */
function leftovers({ desktop }: World, id: string) {
  const directory = join(desktop.environment.XDG_RUNTIME_DIR ?? "", "cloche", "instances", id);
  return { processes: processesNaming(directory), files: filesBelow(directory), mounts: mountsNaming(directory) };
}
const nothing = { processes: [], files: [], mounts: [] };

export function declareEnd({ test, monitor, world, first, second }: Subject): void {
  test("when the monitor is killed its instance has failed, nothing of it is left, and the other goes on", async (t) => {
    const guest = await second();
    const { pid, processes } = await guest.state();
    process.kill(processes.find(({ name }) => name === monitor.vmm)?.pid ?? 0, "SIGKILL");
    t.true(await pidGone(pid, scaled(goneMs)), "the supervisor is still there");
    t.deepEqual(leftovers(await world(), guest.name), nothing);
    const { exitCode, stdout, stderr } = await guest.run;
    t.is(exitCode, 125);
    t.regex(stdout + stderr, /ended by SIGKILL/);
    t.is(await (await first()).shell("echo still here"), "still here");
  });

  test("an orderly stop ends in a power-off, and nothing is left", async (t) => {
    const guest = await first();
    const { pid } = await guest.state();
    const started = performance.now();
    const stopped = await (await world()).cloche("stop", guest.name);
    t.is(stopped.exitCode, 0, stopped.stderr);
    t.true(performance.now() - started < scaled(goneMs));
    t.true(await pidGone(pid, scaled(goneMs)));
    t.deepEqual(leftovers(await world(), guest.name), nothing);
    t.notRegex(await guest.log(), /had to be killed/);
  });
}
