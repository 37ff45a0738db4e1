import test from "ava";
import fc from "fast-check";
import { parseLibraries, placeInJail } from "../../../src/jail/host-program.ts";

test("the loader's list gives every library that has a file", (t) => {
  const list = [
    "\tlinux-vdso.so.1 (0x00007f7d92c70000)",
    "\tlibgcc_s.so.1 => /lib/x86_64-linux-gnu/libgcc_s.so.1 (0x00007f7d92c3d000)",
    "\tlibc.so.6 => /nix/store/abc-glibc-2.42/lib/libc.so.6 (0x00007f7d9241e000)",
    "\t/lib64/ld-linux-x86-64.so.2 (0x00007f7d92c72000)",
  ].join("\n");
  t.deepEqual(parseLibraries(list, "/usr/bin/x"), [
    { name: "libgcc_s.so.1", path: "/lib/x86_64-linux-gnu/libgcc_s.so.1" },
    { name: "libc.so.6", path: "/nix/store/abc-glibc-2.42/lib/libc.so.6" },
  ]);
});

test("musl's list is read too", (t) => {
  const list = "\t/lib/ld-musl-x86_64.so.1 (0x7f)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f)\n";
  t.deepEqual(parseLibraries(list, "/usr/bin/x"), [
    { name: "libc.musl-x86_64.so.1", path: "/lib/ld-musl-x86_64.so.1" },
  ]);
});

test("a missing library is named", (t) => {
  const error = t.throws(() => parseLibraries("\tlibfoo.so.3 => not found\n", "/usr/bin/x"));
  t.like(error, { code: "unsupported" });
  t.regex(error?.message ?? "", /libfoo\.so\.3/);
});

test("no library leaves the jail's directory for them", (t) => {
  t.throws(() => parseLibraries("\t../../etc/passwd => /lib/x.so (0x1)\n", "/usr/bin/x"));
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, path) => {
      try {
        for (const library of parseLibraries(`\t${name} => ${path} (0x1)`, "/x")) t.false(library.name.includes("/"));
      } catch (error) {
        t.like(error, { code: "unsupported" });
      }
    }),
  );
});

test("a program runs by its own loader, with its own libraries only", (t) => {
  const program = {
    path: "/usr/local/bin/crosvm",
    loader: "/lib64/ld-linux-x86-64.so.2",
    libraries: [{ name: "libc.so.6", path: "/lib/libc.so.6" }],
  };
  const { argv, binds } = placeInJail(program);
  t.deepEqual(argv, ["/run/program/loader", "--library-path", "/run/program/lib", "/run/program/bin/crosvm"]);
  t.deepEqual(
    binds.map(({ source, target, access }) => `${access} ${source} ${target}`),
    [
      "ro /usr/local/bin/crosvm /run/program/bin/crosvm",
      "ro /lib64/ld-linux-x86-64.so.2 /run/program/loader",
      "ro /lib/libc.so.6 /run/program/lib/libc.so.6",
    ],
  );
});

test("a static program runs by itself", (t) => {
  t.deepEqual(placeInJail({ path: "/opt/x", loader: undefined, libraries: [] }).argv, ["/run/program/bin/x"]);
});
