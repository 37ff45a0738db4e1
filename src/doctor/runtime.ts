// The monitor runtime: there, and its QEMU runs in the jail.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { findInStore, listStore, openStore } from "../image/store.ts";
import { findBwrap, jailArgv } from "../jail/bwrap.ts";
import { nativeDirectory } from "../paths.ts";
import type { Finding } from "./finding.ts";

const timeoutMs = 10_000;

export async function checkRuntime(): Promise<Omit<Finding, "name">> {
  const root = await storedRuntime();
  if (root === undefined)
    return {
      verdict: "warn",
      text: "not built yet; the first run does it, in about a minute",
      hint: "Or now: cloche image build --all.",
    };
  const plan = { name: "qemu", argv: ["qemu-system-x86_64", "--version"], binds: [], network: "none" } as const;
  const host = { bwrap: await findBwrap(), runtimeRoot: root, nativeDirectory: nativeDirectory() };
  const [file = "", ...args] = jailArgv(plan, host);
  const { failed, stdout, stderr } = await execa(file, args, { reject: false, timeout: timeoutMs, stdin: "ignore" });
  if (!failed) return { verdict: "ok", text: `${stdout.split("\n")[0]} runs in the jail` };
  const said = stderr.trim().split("\n").at(-1) || "it does not end";
  return {
    verdict: "fail",
    text: `QEMU does not run in the jail: ${said}`,
    hint: "Build it again: cloche image build --all --update.",
  };
}

/** The root of the runtime that was built last; to build one is not a check's business. */
export async function storedRuntime(): Promise<string | undefined> {
  const store = await openStore();
  const names = (await listStore(store, "runtime")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = await findInStore(store, "runtime", name, "runtime.json");
      return path === undefined ? [] : [{ root: join(path, "..", "root"), time: (await stat(path)).mtimeMs }];
    }),
  );
  return found.flat().sort((a, b) => b.time - a.time)[0]?.root;
}
