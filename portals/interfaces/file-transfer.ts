// org.freedesktop.portal.FileTransfer: files that are pasted or dropped. The clipboard carries a key; who has it gets the files.
import { stat } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as fdpass from "../../native/fdpass/index.ts";
import type { CallContext } from "../call-context.ts";
import type { HostPortal } from "../host-portal.ts";
import type { Portal } from "../portal.ts";
import { boolean, file, InvalidArgument, list, matching, options } from "../readers.ts";
import type { FileIndex } from "../wire.ts";

/** Made by the host's portal. */
const key = matching(/^[\x21-\x7e]+$/, 255);
/** Transfers that an instance may have begun and not ended. */
const maxTransfers = 64;

/** The keys of what the instance has begun: the host's portal lets anybody end a transfer. */
const begun = new WeakMap<HostPortal, Set<string>>();

const keysOf = (host: HostPortal): Set<string> => {
  const keys = begun.get(host) ?? new Set();
  begun.set(host, keys);
  return keys;
};

export const fileTransfer: Portal = {
  name: "org.freedesktop.portal.FileTransfer",
  object: "documents",
  version: 1,
  permission: "file-transfer",
  consent: "free",
  givesDocuments: true,
  wants: "give and take files by the clipboard and by dragging",
  methods: {
    StartTransfer: {
      kind: "call",
      args: [options({ writable: boolean, autostop: boolean })],
      returns: "s",
      run: startTransfer,
    },
    AddFiles: {
      kind: "call",
      args: [key, list(file, 16), options({})],
      returns: "",
      run: addFiles,
    },
    RetrieveFiles: {
      kind: "call",
      args: [key, options({})],
      returns: "as",
      isGuessable: true,
      run: retrieveFiles,
    },
    StopTransfer: {
      kind: "call",
      args: [key],
      returns: "",
      async run(context, args) {
        checkOwn(context, args[0]);
        return context.callHost("s", args);
      },
    },
  },
  signals: { TransferClosed: { signature: "s", accept: noteEnd } },
};

function noteEnd(host: HostPortal, [closed]: readonly unknown[]): boolean {
  keysOf(host).delete(String(closed));
  return true;
}

async function startTransfer(context: CallContext, args: readonly unknown[]): Promise<[unknown]> {
  const keys = keysOf(context.host);
  if (keys.size >= maxTransfers) throw new InvalidArgument(`${maxTransfers} transfers have begun and not ended`);
  const [made] = await context.callHost("a{sv}", args);
  keys.add(String(made));
  return [made];
}

function checkOwn({ host }: CallContext, transfer: unknown): void {
  if (!keysOf(host).has(String(transfer))) throw new InvalidArgument("the instance has begun no such transfer");
}

async function addFiles(context: CallContext, [transfer, indices, given]: readonly unknown[]): Promise<[]> {
  checkOwn(context, transfer);
  const named = (indices as FileIndex[]).map(({ index }) => context.files[index]);
  using opened = new DisposableStack();
  const fds: number[] = [];
  for (const one of named) fds.push(opened.adopt(await context.openForHost(one, "path"), fdpass.close));
  await context.callHost("saha{sv}", [transfer, fds, given]);
  return [];
}

/** The host names its own files; the guest gets them as documents, for reading: whether more was meant, the host does not say. */
async function retrieveFiles(context: CallContext, args: readonly unknown[]): Promise<[string[]]> {
  const { documents } = context;
  if (documents === undefined) throw new InvalidArgument("there is no document portal");
  const [paths] = await context.callHost("sa{sv}", args);
  const uris = await Promise.all(
    (paths as string[]).map(async (path) => {
      const isDirectory = (await stat(path)).isDirectory();
      return documents.addUris([pathToFileURL(path).href], ["read"], isDirectory);
    }),
  );
  return [uris.flat().map((uri) => fileURLToPath(uri))];
}
