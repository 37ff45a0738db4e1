// The network policy `internet`: public addresses and names, and neither the host nor what is near it.
import { needs } from "../support/require.ts";
import { scaledSeconds } from "../support/time.ts";
import { addresses, networkLack } from "./network-host.ts";
import type { Subject } from "./subject.ts";

const targets = {
  public: addresses.public,
  local: addresses.local,
  gateway: "10.0.2.2",
  resolver: "10.0.2.3",
  loopback: "127.0.0.1",
};

/** What answers has long to do it, under load; what is dropped takes all of its time. */
const fetch = (name: string, host: string) =>
  `timeout ${scaledSeconds(name === "public" ? 20 : 4)} bash -c 'exec 3<>/dev/tcp/${host}/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && tail -n 1 <&3' 2>/dev/null || echo refused`;

export function declareNetwork({ test, first }: Subject): void {
  const lack = networkLack();
  const networkTest = lack === undefined ? test : needs("network", lack).serial;

  networkTest(
    "the internet is reached by address and by name, and neither the host nor its local network",
    async (t) => {
      const script = [
        "ls /sys/class/net | sort | tr '\\n' ' '; echo",
        ...Object.entries(targets).map(([name, host]) => `(${fetch(name, host)}) > /tmp/reach-${name} &`),
        `timeout ${scaledSeconds(20)} getent ahostsv4 cloche.example | head -n 1 | cut -d ' ' -f 1`,
        "wait",
        ...Object.keys(targets).map((name) => `cat /tmp/reach-${name}`),
      ];
      const [interfaces, name, ...reached] = (await (await first()).shell(script.join("\n"))).split("\n");
      t.is(interfaces, "eth0 lo ");
      t.is(name, addresses.public);
      t.deepEqual(Object.fromEntries(Object.keys(targets).map((target, index) => [target, reached[index]])), {
        public: "reached",
        local: "refused",
        gateway: "refused",
        resolver: "refused",
        loopback: "refused",
      });
    },
  );
}
