// org.freedesktop.portal.FileChooser: the user picks in the host's dialog; what was picked becomes documents of the instance.
import { type BusDict, Variant } from "../bus.ts";
import type { CallContext } from "../call-context.ts";
import type { Right } from "../documents.ts";
import { forwardRequest, type Portal } from "../portal.ts";
import {
  boolean,
  fileName,
  fileNameBytes,
  guestPath,
  list,
  options,
  parentWindow,
  type Reader,
  structure,
  text,
  unsigned,
} from "../readers.ts";

const label = text(512);
const filter = structure(label, list(structure(unsigned(1), text(256)), 64));
const choice = structure(text(255), label, list(structure(text(255), label), 64), text(255));

const common = {
  accept_label: label,
  modal: boolean,
  choices: list(choice, 32),
  current_folder: guestPath,
};
const filtered = { filters: list(filter, 64), current_filter: filter };

const results: Record<string, Reader> = {
  uris: list(text(16_384), 4096),
  choices: list(structure(text(255), text(255)), 32),
  current_filter: filter,
  writable: boolean,
};

const all: readonly Right[] = ["read", "write", "grant-permissions", "delete"];
const readOnly: readonly Right[] = ["read", "grant-permissions"];

const open = options({ ...common, ...filtered, multiple: boolean, directory: boolean });
const save = options({ ...common, ...filtered, current_name: fileName, current_file: guestPath });
const saveMany = options({ ...common, files: list(fileNameBytes, 256) });

export const fileChooser: Portal = {
  name: "org.freedesktop.portal.FileChooser",
  object: "desktop",
  version: 4,
  permission: "file-chooser",
  consent: "dialog",
  givesDocuments: true,
  wants: "open and save files that you pick",
  methods: {
    OpenFile: forwardRequest([parentWindow, label, open], results, {
      before: prepare,
      after(context, given, asked) {
        const isDirectory = asked.directory?.value === true;
        const rights = given.writable?.value === false ? readOnly : all;
        return replaceUris(given, (uris) => context.documents?.addUris(uris, rights, isDirectory));
      },
    }),
    SaveFile: forwardRequest([parentWindow, label, save], results, {
      before: prepare,
      after: (context, given) =>
        replaceUris(given, (uris) => Promise.all(uris.map((uri) => context.documents?.addNamedUri(uri, all) ?? ""))),
    }),
    SaveFiles: forwardRequest([parentWindow, label, saveMany], results, {
      before: prepare,
      after: (context, given) =>
        replaceUris(given, (uris) => Promise.all(uris.map((uri) => context.documents?.addNamedUri(uri, all) ?? ""))),
    }),
  },
};

/** The dialog says who asks, and begins where the instance's document lies on the host. */
async function prepare(context: CallContext, args: unknown[]): Promise<void> {
  args[1] = `[${context.instance}] ${args[1]}`;
  const given = args.at(-1) as BusDict;
  for (const name of ["current_folder", "current_file"]) {
    const path = given[name]?.value;
    if (path === undefined) continue;
    const hostPath = await context.documents?.realPath(String(path));
    delete given[name];
    if (hostPath !== undefined) given[name] = new Variant("ay", Buffer.from(`${hostPath}\0`));
  }
}

async function replaceUris(
  results: BusDict,
  replace: (uris: string[]) => Promise<string[]> | undefined,
): Promise<BusDict> {
  const uris = (await replace((results.uris?.value ?? []) as string[])) ?? [];
  return { ...results, uris: new Variant("as", uris) };
}
