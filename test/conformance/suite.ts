// Runs files of xdg-desktop-portal's tests in a sandbox that has nothing of this machine but the checkout, and reads what came of each test.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packagePath } from "../../src/paths.ts";

const installed = "/usr/libexec/installed-tests/xdg-desktop-portal";

export interface TestOutcome {
  /** Without its file and class: `test_version`. */
  readonly test: string;
  readonly outcome: "passed" | "failed" | "skipped" | "error";
  /** The first line of why it did not pass. */
  readonly message: string;
}

/** Runs `test_NAME.py`. Throws where pytest did not come to its end. */
export async function runTestFile(root: string, name: string): Promise<TestOutcome[]> {
  await using cleanup = new AsyncDisposableStack();
  const results = await mkdtemp(join(tmpdir(), "cloche-conformance-"));
  cleanup.defer(() => rm(results, { recursive: true, force: true }));
  const pytest = ["pytest-3", "-p", "no:cacheprovider", "-p", "plugin", "--quiet", `tests/test_${name}.py`];
  const { exitCode, all } = await execa("bwrap", [...sandboxArgs(root, results), "--", ...pytest], {
    reject: false,
    all: true,
    stdin: "ignore",
  });
  if (process.env.CLOCHE_TEST_VERBOSE) console.log(all);
  // 1: some have failed, which may be expected.
  if (exitCode !== 0 && exitCode !== 1) throw new Error(`pytest ended with status ${exitCode}\n${all}`);
  const lines = (await readFile(join(results, "outcomes"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => {
    const { test, ...rest } = JSON.parse(line) as TestOutcome;
    return { test: test.replace(/^.*::/, ""), ...rest };
  });
}

function sandboxArgs(root: string, results: string): string[] {
  const environment = {
    PATH: "/usr/bin:/usr/sbin",
    PYTHONPATH: `/cloche/test/conformance:${installed}`,
    PYTHONDONTWRITEBYTECODE: "1",
    XDG_DESKTOP_PORTAL_PATH: "/usr/libexec/xdg-desktop-portal",
    XDG_PERMISSION_STORE_PATH: "/usr/libexec/xdg-permission-store",
    XDG_DOCUMENT_PORTAL_PATH: "/usr/libexec/xdg-document-portal",
    XDP_VALIDATE_AUTO: "1",
    NODE: "/cloche/node_modules/node/bin/node",
    OUTCOMES: "/results/outcomes",
  };
  return [
    ...["--die-with-parent", "--new-session", "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0"],
    // Within its own user namespace: the document portal and the guest's shares are mounted.
    ...["--cap-add", "ALL"],
    ...["--tmpfs", "/", ...["usr", "etc", "var"].flatMap((name) => ["--ro-bind", join(root, name), `/${name}`])],
    ...["bin", "lib", "lib64", "sbin"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    ...["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/fuse", "/dev/fuse", "--dir", "/tmp", "--dir", "/run"],
    ...["--ro-bind", packagePath(), "/cloche", "--bind", results, "/results", "--clearenv"],
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", installed],
  ];
}
