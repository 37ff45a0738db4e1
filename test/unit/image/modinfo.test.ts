import test from "ava";
import { moduleName, orderModules, parseDepends, withoutSignature } from "../../../src/image/modinfo.ts";

const graph: Record<string, string[]> = {
  virtio_blk: [],
  erofs: ["libcrc32c"],
  libcrc32c: [],
  vsock_transport: ["vsock_common", "vsock"],
  vsock_common: ["vsock"],
  vsock: [],
};
const dependsOf = async (name: string) => graph[name];

test("a module comes after all that it depends on, and once", async (t) => {
  t.deepEqual(await orderModules(["virtio_blk", "erofs", "vsock_transport", "vsock"], dependsOf), [
    "virtio_blk",
    "libcrc32c",
    "erofs",
    "vsock",
    "vsock_common",
    "vsock_transport",
  ]);
});

test("what is built into the kernel is left out", async (t) => {
  t.deepEqual(await orderModules(["virtio_pci", "erofs"], dependsOf), ["libcrc32c", "erofs"]);
});

test("modules that depend on each other end the search", async (t) => {
  const circle = async (name: string) => (name === "a" ? ["b"] : ["a"]);
  t.deepEqual(await orderModules(["a"], circle), ["b", "a"]);
});

test("dependencies are read from the module itself", (t) => {
  const section = "license=GPL\0depends=vsock,virtio-common\0retpoline=Y\0";
  t.deepEqual(parseDepends(Buffer.from(`ELF…\0${section}`)), ["vsock", "virtio_common"]);
  t.deepEqual(parseDepends(Buffer.from("\0depends=\0name=x\0")), []);
  t.deepEqual(parseDepends(Buffer.from("no such section")), []);
});

test("a file's name is the module's, with the kernel's underscores", (t) => {
  t.is(moduleName("kernel/arch/x86/crypto/crc32c-intel.ko.xz"), "crc32c_intel");
  t.is(moduleName("erofs.ko"), "erofs");
});

test("a signature is cut off, and what only looks like one is left", (t) => {
  const code = Buffer.from("ELF and its sections");
  const info = Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
  const mark = Buffer.from("~Module signature appended~\n");
  t.deepEqual(withoutSignature(Buffer.concat([code, Buffer.from("signature"), info, mark])), code);
  t.deepEqual(withoutSignature(code), code);
  const tooLong = Buffer.concat([code, Buffer.alloc(12, 0xff), mark]);
  t.deepEqual(withoutSignature(tooLong), tooLong);
  t.deepEqual(withoutSignature(mark), mark);
});
