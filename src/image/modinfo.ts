// Kernel modules: what each depends on, read from the module itself, and the order in which to load them. Pure.

/** A module's name as the kernel has it, from its file name. */
export const moduleName = (file: string): string =>
  file
    .replace(/^.*\//, "")
    .replace(/\.ko(\.xz|\.zst|\.gz)?$/, "")
    .replaceAll("-", "_");

/** The names in `depends=` of a module's .modinfo section. */
export function parseDepends(module: Buffer): string[] {
  const key = Buffer.from("\0depends=");
  const start = module.indexOf(key);
  if (start < 0) return [];
  const end = module.indexOf(0, start + key.length);
  const names = module.toString("latin1", start + key.length, end).split(",");
  return names.filter((name) => name !== "").map((name) => name.replaceAll("-", "_"));
}

const signatureEnd = Buffer.from("~Module signature appended~\n");

/**
 * The module without the signature at its end. To check one costs a hundred million instructions, which an emulated
 * processor takes a tenth of a second for; the initramfs that the module is in has been checked as a whole.
 */
export function withoutSignature(module: Buffer): Buffer {
  const end = module.length - signatureEnd.length;
  // struct module_signature: 12 bytes, the last four of them the length of the signature before it, big-endian.
  if (end < 12 || !module.subarray(end).equals(signatureEnd)) return module;
  const start = end - 12 - module.readUInt32BE(end - 4);
  return start > 0 ? module.subarray(0, start) : module;
}

/** The wanted names with all they depend on, each after what it needs. `dependsOf` is undefined for what is built in. */
export async function orderModules(
  wanted: readonly string[],
  dependsOf: (name: string) => Promise<readonly string[] | undefined>,
): Promise<string[]> {
  const ordered = new Set<string>();
  const visited = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    if (visited.has(name)) return;
    visited.add(name);
    const depends = await dependsOf(name);
    if (depends === undefined) return;
    for (const needed of depends) await visit(needed);
    ordered.add(name);
  };
  for (const name of wanted) await visit(name);
  return [...ordered];
}
