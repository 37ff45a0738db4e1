// Portals that can be told who speaks: xdg-desktop-portal 1.20 and newer, played by this process.
import test from "ava";
import { Message, type MessageBus, sessionBus } from "dbus-next";
import { Bus } from "../../portals/bus.ts";
import { InstancePortals } from "../../portals/instance-portals.ts";
import { registerAs } from "../../portals/registry.ts";
import { startSession } from "./support/session.ts";
import { startWorld } from "./support/world.ts";

/** Takes the portal's name, and answers every call with nothing; the calls, with who made them. */
async function playPortal(address: string): Promise<{ calls: Message[]; bus: MessageBus }> {
  const bus = sessionBus({ busAddress: address });
  await new Promise<void>((resolve) => bus.on("connect", resolve));
  const calls: Message[] = [];
  bus.addMethodHandler((message: Message) => {
    calls.push(message);
    bus.send(Message.newMethodReturn(message, "", []));
    return true;
  });
  await bus.requestName("org.freedesktop.portal.Desktop", 0);
  return { calls, bus };
}

test("each instance speaks by a connection of its own, and says first of all who it is", async (t) => {
  await using session = await startSession();
  const { calls, bus } = await playPortal(session.address);
  await using _ = await InstancePortals.open("foot", session.address);
  await using __ = await InstancePortals.open("foot@work", session.address);
  const senders = [...new Set(calls.map(({ sender }) => sender))];
  t.is(senders.length, 2);
  const firsts = senders.map((sender) => calls.find((call) => call.sender === sender));
  t.deepEqual(
    firsts.map((first) => [first?.interface, first?.member, first?.body[0]]),
    [
      ["org.freedesktop.host.portal.Registry", "Register", "dev.cloche.foot"],
      ["org.freedesktop.host.portal.Registry", "Register", "dev.cloche.foot._40work"],
    ],
  );
  bus.disconnect();
});

test("an older portal cannot be told", async (t) => {
  await using world = await startWorld();
  using bus = await Bus.connect(world.host.address);
  t.false(await registerAs(bus, "dev.cloche.foot"));
});
