import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { findBwrap, jailArgv } from "../../src/jail/bwrap.ts";
import { placeInJail, resolveHostProgram } from "../../src/jail/host-program.ts";
import { nativeDirectory } from "../../src/paths.ts";
import { findInstalled } from "../../src/vmm/installed.ts";
import { requirements } from "../../src/vmm/requirements.ts";
import { makeRuntime } from "./fake-runtime.ts";

const run = promisify(execFile);
const directory = await mkdtemp(join(tmpdir(), "cloche-find-"));
test.after.always(() => rm(directory, { recursive: true }));
const realPath = process.env.PATH ?? "";
const names = ["cloud-hypervisor", "crosvm"] as const;
for (const name of names) delete process.env[requirements[name].variable];
test.afterEach.always(() => {
  process.env.PATH = realPath;
  for (const name of names) delete process.env[requirements[name].variable];
});

/** Runs a program of this host in a jail whose root has no library at all. */
async function runInBareJail(path: string, args: readonly string[]): Promise<string> {
  await using runtime = await makeRuntime("exit-early");
  const { argv, binds } = placeInJail(await resolveHostProgram(path));
  const host = { bwrap: await findBwrap(), runtimeRoot: runtime.root, nativeDirectory: nativeDirectory() };
  const plan = { name: "x", argv: [...argv, ...args], binds, network: "none" } as const;
  const [file = "", ...rest] = jailArgv(plan, host);
  return (await run(file, rest)).stdout.trim();
}

test.serial("a dynamic program runs in the jail with its own libraries, and none of the runtime's", async (t) => {
  t.is(await runInBareJail(process.execPath, ["--version"]), process.version);
});

test.serial("a static program runs in the jail by itself", async (t) => {
  t.is(await runInBareJail("/bin/busybox", ["echo", "static"]), "static");
});

for (const name of names) {
  const { variable, remedy } = requirements[name];

  test.serial(`${name} that is not on PATH is not installed`, async (t) => {
    process.env.PATH = directory;
    t.deepEqual(await findInstalled(name), {
      ...{ usable: false, isInstalled: false },
      reason: "it is not on PATH",
      hint: remedy,
    });
  });

  test.serial(`a script in the place of ${name} is told as such, and not run`, async (t) => {
    const path = join(directory, name);
    const trace = join(directory, `${name}-ran`);
    await writeFile(path, `#!/bin/sh\n: > '${trace}'\n`);
    await chmod(path, 0o755);
    process.env[variable] = path;
    const found = await findInstalled(name);
    t.like(found, { usable: false, isInstalled: true, reason: `${path} is not a 64-bit x86 program` });
    await t.throwsAsync(run("ls", [trace]));
  });

  test.serial(`${variable} that leads nowhere is told`, async (t) => {
    process.env[variable] = "/nonexistent/monitor";
    t.like(await findInstalled(name), {
      usable: false,
      isInstalled: true,
      reason: "/nonexistent/monitor cannot be run",
    });
  });

  test.serial(`another program in the place of ${name} is told`, async (t) => {
    process.env[variable] = process.execPath;
    const found = await findInstalled(name);
    t.like(found, { usable: false, isInstalled: true });
  });
}
