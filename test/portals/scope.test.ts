// The scope that an instance asks systemd for; systemd is played by this process.
import test from "ava";
import { Message, MessageType, sessionBus } from "dbus-next";
import { Bus } from "../../portals/bus.ts";
import { InstancePortals } from "../../portals/instance-portals.ts";
import { enterScope, scopeName } from "../../portals/scope.ts";
import { startSession } from "./support/session.ts";

const refusal = { type: MessageType.ERROR, errorName: "org.freedesktop.systemd1.UnitExists" };

/** Takes names on the bus at `address`; all calls to them, in order. */
async function play(address: string, names: readonly string[], answer: (call: Message) => Message) {
  const bus = sessionBus({ busAddress: address });
  await new Promise<void>((resolve) => bus.on("connect", resolve));
  const calls: Message[] = [];
  bus.addMethodHandler((message: Message) => {
    calls.push(message);
    bus.send(answer(message));
    return true;
  });
  for (const name of names) await bus.requestName(name, 0);
  return { calls, [Symbol.dispose]: () => bus.disconnect() };
}

test("a scope is named as desktops name them, and the name can be read back", (t) => {
  t.is(scopeName("dev.cloche.foot._40work", 12), "app-cloche-dev.cloche.foot._40work-12.scope");
  t.is(
    scopeName("dev.cloche.gnome-text-editor", 12),
    String.raw`app-cloche-dev.cloche.gnome\x2dtext\x2deditor-12.scope`,
  );
});

test("an instance asks for its scope before it calls the portal", async (t) => {
  await using session = await startSession();
  const names = ["org.freedesktop.systemd1", "org.freedesktop.portal.Desktop"];
  const isStart = ({ member }: Message) => member === "StartTransientUnit";
  using host = await play(session.address, names, (call) =>
    Message.newMethodReturn(call, isStart(call) ? "o" : "", isStart(call) ? ["/org/freedesktop/systemd1/job/1"] : []),
  );
  await using _ = await InstancePortals.open("foot@work", session.address);
  const [first, second] = host.calls;
  t.is(second?.member, "Register");
  t.is(first?.member, "StartTransientUnit");
  const [name, mode, properties] = (first?.body ?? []) as [string, string, [string, { value: unknown }][]];
  t.is(name, `app-cloche-dev.cloche.foot._40work-${process.pid}.scope`);
  t.is(mode, "fail");
  t.deepEqual(properties.find(([key]) => key === "PIDs")?.[1].value, [process.pid]);
});

test("where systemd is not, refuses, or says yes and does nothing, there is no scope and no error", async (t) => {
  await using session = await startSession();
  using bus = await Bus.connect(session.address);
  t.false(await enterScope(bus, "dev.cloche.foot"));
  const answers = [
    (call: Message) => Message.newMethodReturn(call, "o", ["/org/freedesktop/systemd1/job/1"]),
    (call: Message) => Object.assign(Message.newMethodReturn(call, "", []), refusal),
  ];
  for (const answer of answers) {
    using _ = await play(session.address, ["org.freedesktop.systemd1"], answer);
    t.false(await enterScope(bus, "dev.cloche.foot"));
  }
});
