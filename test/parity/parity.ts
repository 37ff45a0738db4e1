// Declares all subjects for one monitor. Its tests run one after another and share two instances.
import test from "ava";
import { needs } from "../support/require.ts";
import { declareBoot } from "./boot.ts";
import { declareControl } from "./control.ts";
import { declareEnd } from "./end.ts";
import { declareExec } from "./exec.ts";
import { declareMemory } from "./memory.ts";
import { examine, type Monitor } from "./monitors.ts";
import { declareNetwork } from "./network.ts";
import { declareShare } from "./share.ts";
import { declareSideBySide } from "./side-by-side.ts";
import type { Subject } from "./subject.ts";
import { declareWindow } from "./window.ts";
import { makeWorld, once } from "./world.ts";

/** An emulated machine takes minutes for each subject. */
const isThin = process.env.CLOCHE_PARITY === "thin";
const thin = [declareBoot, declareWindow, declareEnd];
const whole = [
  ...[declareBoot, declareExec, declareShare, declareNetwork, declareSideBySide, declareWindow, declareMemory],
  ...[declareEnd, declareControl],
];

export async function declareParity(monitor: Monitor): Promise<void> {
  const { lack, hidesKvm = false } = await examine(monitor);
  const world = once(() => makeWorld({ monitor, hidesKvm }));
  const isMade = { value: false };
  const subject: Subject = {
    monitor,
    test: lack === undefined ? test.serial : needs(lack.feature, lack.reason).serial,
    world: () => {
      isMade.value = true;
      return world();
    },
    first: async () => (await subject.world()).first(),
    second: async () => (await subject.world()).second(),
  };
  test.after.always("the instances end", async () => {
    if (isMade.value) await (await world())[Symbol.asyncDispose]();
  });
  for (const declare of isThin ? thin : whole) declare(subject);
}
