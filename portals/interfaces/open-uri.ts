// org.freedesktop.portal.OpenURI: links, and the instance's own files, opened by the host's applications.
import { fileURLToPath } from "node:url";
import * as fdpass from "../../native/fdpass/index.ts";
import { type BusDict, Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import { guestDocuments } from "../documents.ts";
import type { Portal, RequestMethod, Response } from "../portal.ts";
import { boolean, file, InvalidArgument, matching, options, parentWindow, text } from "../readers.ts";
import type { FileIndex } from "../wire.ts";

const maxUriLength = 4096;
const known = options({ writable: boolean, ask: boolean, activation_token: text(1024) });

const openedSchemes = ["http", "https", "mailto"];

/** Without spaces, controls and what a shell or a mail program could read more into. */
const webOrMail = /^(https?:\/\/[^\s/?#\\]+|mailto:)[^\s\\\p{Cc}]*$/iu;

export const openUri: Portal = {
  name: "org.freedesktop.portal.OpenURI",
  object: "desktop",
  version: 5,
  permission: "open-uri",
  consent: "dialog",
  wants: "open links and its files in other applications",
  methods: {
    OpenURI: {
      kind: "request",
      args: [parentWindow, text(maxUriLength), known],
      run(context, [parent, uri, given]) {
        const address = String(uri);
        return /^file:/i.test(address)
          ? openDocument(context, parent, address, given as BusDict)
          : openLink(context, parent, address, given as BusDict);
      },
    },
    OpenFile: ofFile("OpenFile", { since: 2 }),
    OpenDirectory: ofFile("OpenDirectory", { since: 3 }),
    SchemeSupported: {
      kind: "call",
      args: [matching(/^[a-z][a-z0-9+.-]*$/iu, 255), options({})],
      returns: "b",
      since: 5,
      consent: () => "free",
      run: async (context, [scheme, given]) =>
        openedSchemes.includes(String(scheme).toLowerCase()) ? context.callHost("sa{sv}", [scheme, given]) : [false],
    },
  },
};

/** Whether the host is to show which application it will be: always, unless the user has allowed it once for all. */
const withQuestion = async (context: CallContext, given: BusDict): Promise<BusDict> =>
  (await context.isAllowed()) ? given : { ...given, ask: new Variant("b", true) };

async function openLink(context: CallContext, parent: unknown, uri: string, given: BusDict): Promise<Response> {
  if (!webOrMail.test(uri))
    throw new InvalidArgument("only http, https and mailto are opened, and files of the instance");
  // A mail program would attach the user's files by their names.
  if (/^mailto:/i.test(uri) && /[?&]attach/i.test(decodeURI(uri)))
    throw new InvalidArgument("a mail with an attachment");
  const body = [context.hostWindow(String(parent)), uri, await withQuestion(context, given)];
  return context.requestFromHost("ssa{sv}", body);
}

async function openDocument(context: CallContext, parent: unknown, uri: string, given: BusDict): Promise<Response> {
  const path = pathOf(uri);
  if (!path.startsWith(`${guestDocuments}/`)) throw new InvalidArgument("only documents of the instance are opened");
  const fd = await context.openForHost(
    { type: "shared", tag: "documents", path: path.slice(guestDocuments.length + 1), writable: false },
    "path",
  );
  return openDescriptor(context, "OpenFile", parent, fd, given);
}

function pathOf(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch {
    throw new InvalidArgument("not a file's address");
  }
}

function ofFile(member: "OpenFile" | "OpenDirectory", facts: { since: number }): RequestMethod {
  return {
    kind: "request",
    args: [parentWindow, file, known],
    ...facts,
    async run(context, [parent, index, given]) {
      const fd = await context.openForHost(context.files[(index as FileIndex).index], "path");
      return openDescriptor(context, member, parent, fd, given as BusDict);
    },
  };
}

async function openDescriptor(
  context: CallContext,
  member: string,
  parent: unknown,
  fd: number,
  given: BusDict,
): Promise<Response> {
  try {
    const body = [context.hostWindow(String(parent)), fd, await withQuestion(context, given)];
    return await context.requestFromHost("sha{sv}", body, { member });
  } finally {
    fdpass.close(fd);
  }
}
