// A second instance of the same application, beside the first.
import type { Subject } from "./subject.ts";

export function declareSideBySide({ test, world, first, second }: Subject): void {
  test("a second instance runs beside the first, each with its own name, home and machine", async (t) => {
    const guests = [await first(), await second()];
    const { stdout } = await (await world()).cloche("ps", "--json");
    const listed = (JSON.parse(stdout) as { id: string; phase: string }[]).map(({ id, phase }) => `${id} ${phase}`);
    t.deepEqual(listed, ["foot@first running", "foot@second running"]);
    const script = (name: string) => `cat /proc/sys/kernel/hostname; cat /etc/machine-id; touch ~/${name}; ls ~`;
    const [one = [], other = []] = await Promise.all(
      guests.map(async (guest, index) => (await guest.shell(script(`mine-${index}`))).split("\n")),
    );
    t.deepEqual([one[0], other[0]], ["foot-first", "foot-second"]);
    t.not(one[1], other[1]);
    t.true(one.includes("mine-0") && !one.includes("mine-1"));
    t.true(other.includes("mine-1") && !other.includes("mine-0"));
  });
}
