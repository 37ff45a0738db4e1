import test from "ava";
import { fileServer, jailed, monitor } from "../../nested/programs.ts";

const jail = { bwrap: "/usr/bin/bwrap", runtimeRoot: "/runtime", directory: "/machine" };

test("nothing of the machine has a network, and its programs end with their owner", (t) => {
  for (const isRoot of [true, false]) {
    const argv = jailed({ ...jail, isRoot }, ["program"], []);
    for (const option of ["--unshare-net", "--unshare-pid", "--die-with-parent"]) t.true(argv.includes(option));
    t.is(argv.includes("--unshare-user"), !isRoot);
  }
});

test("the processor has AMD's virtualisation, and the memory is one that file servers can share", (t) => {
  const argv = monitor({ cpus: 1, memoryMib: 6144 });
  t.is(argv[argv.indexOf("-cpu") + 1], "max");
  t.true(argv.some((word) => /^tcg\b/.test(word)));
  t.true(argv.some((word) => /^memory-backend-memfd,.*size=6144M,share=on$/.test(word)));
});

test("the host's root is served read-only where that is asked for", (t) => {
  t.true(fileServer("root", true, "--readonly").includes("--readonly"));
  t.false(fileServer("pictures", true).includes("--readonly"));
});
