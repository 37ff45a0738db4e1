import test from "ava";
import { describeInstance } from "../../../src/cli/describe-instance.ts";
import { plainStyle } from "../../../src/cli/style.ts";
import type { InstanceState } from "../../../src/instance/state.ts";

const state: InstanceState = {
  id: "foot@work",
  app: "foot",
  pid: 100,
  startTime: "1",
  phase: "running",
  startedAt: "2026-03-01T12:00:00.000Z",
  monitor: "qemu",
  reason: "qemu without KVM, in compatibility mode: /dev/kvm is not there",
  accelerator: "TCG (compatibility mode)",
  machine: {
    cpus: 2,
    memoryMib: 1536,
    shares: [{ tag: "share0", directory: "/data", readOnly: true, mountPoint: "/mnt/data" }],
  },
  image: "abc",
  windows: true,
  renderer: "software (no GPU in the guest)",
  portals: null,
  inUse: [],
  network: "none",
  processes: [{ name: "qemu", pid: 101 }],
  timings: [
    { stage: "prepare", ms: 40 },
    { stage: "boot", ms: 2_000 },
  ],
};

test("inspect tells all of the state", (t) => {
  const text = describeInstance(state, Date.parse("2026-03-01T12:01:00Z"), plainStyle);
  for (const part of [
    /foot@work/,
    /compatibility mode/,
    /\/mnt\/data ro \/data/,
    /1\.5G/,
    /101 qemu/,
    /100 supervisor/,
    /1m 0s/,
  ])
    t.regex(text, part);
  t.regex(text, /total +2\.0 s/);
});

test("what the guest says of its renderer cannot steer a terminal", (t) => {
  const renderer = "x\u001b]0;title\u0007\u001b[2J\u009b1;1H\nmonitor other";
  const text = describeInstance({ ...state, renderer }, 0, plainStyle);
  t.false([...text].some((character) => character !== "\n" && /\p{Cc}/u.test(character)));
  t.is(text.split("\n").length, describeInstance(state, 0, plainStyle).split("\n").length);
});

test("what there is none of is said", (t) => {
  const text = describeInstance({ ...state, machine: { ...state.machine, shares: [] }, timings: [] }, 0, plainStyle);
  t.regex(text, /shares +none/);
});
