// org.freedesktop.portal.Documents: files of the instance's shares as documents of its own tree. No other application is named.
import * as fdpass from "../../native/fdpass/index.ts";
import { Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import { type Documents, documentsName, guestDocuments, type Right } from "../documents.ts";
import type { CallMethod, Portal } from "../portal.ts";
import {
  boolean,
  file,
  fileNameBytes,
  flags,
  InvalidArgument,
  list,
  matching,
  oneOf,
  type Reader,
  text,
} from "../readers.ts";
import type { FileIndex } from "../wire.ts";

const rights: readonly Right[] = ["read", "write", "grant-permissions", "delete"];
const permissions = list(oneOf(...rights), rights.length);
const documentId = matching(/^[0-9a-f]{1,32}$/, 32);
/** An instance knows its own name only as none. */
const application = text(255);
/** Of AddFull, those that mean something to us: reuse, persistent, as needed, directory. */
const exportDirectory = 8;
const knownFlags = flags(1 | 2 | 4 | exportDirectory);

const mountPoint = Buffer.from(`${guestDocuments}\0`);
/** What the methods that take flags tell besides. */
const besides = { mountpoint: new Variant("ay", mountPoint) };

export const documents: Portal = {
  name: documentsName,
  object: "documents",
  version: 4,
  permission: "documents",
  consent: "free",
  givesDocuments: true,
  wants: "have its own files as documents",
  methods: {
    GetMountPoint: method([], "ay", async () => [mountPoint]),
    Add: method([file, boolean, boolean], "s", async (tree, context, [index]) => [
      await addFile(tree, context, index, rights, false),
    ]),
    AddFull: method(
      [list(file, 16), knownFlags, application, permissions],
      "asa{sv}",
      async (tree, context, [indices, asked, _application, wanted]) => {
        const isDirectory = (Number(asked) & exportDirectory) !== 0;
        const ids: string[] = [];
        for (const index of indices as unknown[])
          ids.push(await addFile(tree, context, index, atLeastRead(wanted), isDirectory));
        return [ids, besides];
      },
    ),
    AddNamed: method([file, fileNameBytes, boolean, boolean], "s", async (tree, context, [index, name]) => [
      await addNamed(tree, context, index, name, rights),
    ]),
    AddNamedFull: method(
      [file, fileNameBytes, knownFlags, application, permissions],
      "sa{sv}",
      async (tree, context, [index, name, _flags, _application, wanted]) => [
        await addNamed(tree, context, index, name, atLeastRead(wanted)),
        besides,
      ],
    ),
    GrantPermissions: method([documentId, application, permissions], "", async (tree, _, [id, name]) => {
      ownOnly(tree, id, name);
      return [];
    }),
    RevokePermissions: method([documentId, application, permissions], "", async (tree, _, [id, name, taken]) => {
      ownOnly(tree, id, name);
      await tree.revoke(String(id), taken as Right[]);
      return [];
    }),
    Delete: method([documentId], "", async (tree, _, [id]) => {
      ownOnly(tree, id, "");
      await tree.revoke(String(id), rights);
      return [];
    }),
    Info: method([documentId], "aya{sas}", async (tree, _, [id]) => {
      ownOnly(tree, id, "");
      const name = await tree.nameOf(String(id));
      return [Buffer.from(`${guestDocuments}/${id}/${name}\0`), {}];
    }),
    List: method([application], "a{say}", async (tree) => {
      const ids = await Promise.all(tree.ids.map(async (id) => [id, await tree.nameOf(id)] as const));
      return [Object.fromEntries(ids.map(([id, name]) => [id, Buffer.from(`${guestDocuments}/${id}/${name}\0`)]))];
    }),
  },
};

function method(
  args: readonly Reader[],
  returns: string,
  act: (tree: Documents, context: CallContext, values: readonly unknown[]) => Promise<readonly unknown[]>,
): CallMethod {
  return {
    kind: "call",
    args,
    returns,
    run(context, values) {
      if (context.documents === undefined) throw new InvalidArgument("there is no document portal");
      return act(context.documents, context, values);
    },
  };
}

const atLeastRead = (wanted: unknown): Right[] => [...new Set<Right>(["read", ...(wanted as Right[])])];

async function addFile(
  tree: Documents,
  context: CallContext,
  index: unknown,
  wanted: readonly Right[],
  isDirectory: boolean,
) {
  const named = context.files[(index as FileIndex).index];
  const fd = context.shared.open(named, "path");
  try {
    // A share that is read-only makes no documents that can be written.
    const given = context.shared.isReadOnly(named) ? wanted.filter((right) => right === "read") : wanted;
    return await tree.add(fd, given, isDirectory);
  } finally {
    fdpass.close(fd);
  }
}

async function addNamed(
  tree: Documents,
  context: CallContext,
  index: unknown,
  name: unknown,
  wanted: readonly Right[],
) {
  const named = context.files[(index as FileIndex).index];
  if (context.shared.isReadOnly(named)) throw new InvalidArgument("the share is read-only");
  const fd = context.shared.open(named, "path");
  try {
    return await tree.addNamed(fd, name as Buffer, wanted);
  } finally {
    fdpass.close(fd);
  }
}

function ownOnly(tree: Documents, id: unknown, name: unknown): void {
  if (name !== "") throw new InvalidArgument("documents are not shared with other applications");
  if (!tree.ids.includes(String(id))) throw new InvalidArgument("the instance has no such document");
}
