// What each subject of the suite is given: how to declare a test, and what the tests of one monitor share.
import type { Declare } from "../support/require.ts";
import type { Instance } from "./instance.ts";
import type { Monitor } from "./monitors.ts";
import type { World } from "./world.ts";

export interface Subject {
  readonly monitor: Monitor;
  /** One test after another; skipped with a reason where the monitor cannot run. */
  readonly test: Declare;
  readonly world: () => Promise<World>;
  readonly first: () => Promise<Instance>;
  readonly second: () => Promise<Instance>;
}
