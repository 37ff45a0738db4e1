import { accessSync, constants } from "node:fs";
import test from "ava";
import { execa } from "execa";
import { packagePath } from "../../src/paths.ts";

const isRoot = process.getuid?.() === 0;
const unshare = isRoot ? ["--net"] : ["--user", "--map-root-user", "--net"];

function canOpenTun(): boolean {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const networkTest = canOpenTun() ? test : test.skip;

networkTest(
  "the policy internet reaches public addresses and names, and neither the host nor its local network",
  async (t) => {
    const script = packagePath("test", "vm", "fixtures", "network-host.ts");
    const { stdout } = await execa("unshare", [...unshare, process.execPath, script], { stderr: "inherit" });
    t.deepEqual(JSON.parse(stdout), {
      interfaces: "eth0 lo ",
      public: "reached",
      local: "refused",
      gateway: "refused",
      resolver: "refused",
      loopback: "refused",
      name: "198.51.100.1",
    });
  },
);
