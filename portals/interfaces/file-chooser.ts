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
  InvalidArgument,
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
type Choice = [id: string, label: string, options: [string, string][], selected: string];
type Chosen = [id: string, selected: string];

/** Our own question in the dialog: whether a portal's box for reading only is ticked, it tells sandboxed applications alone. */
const mayWrite = "cloche-may-write";

const common = {
  accept_label: label,
  modal: boolean,
  choices: list(choice, 32),
  current_folder: guestPath,
};
const filtered = { filters: list(filter, 64), current_filter: filter };

const results: Record<string, Reader> = {
  uris: list(text(16_384), 4096),
  choices: list(structure(text(255), text(255)), 33),
  current_filter: filter,
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
      async before(context, args) {
        await prepare(context, args);
        askWhetherToWrite(context, args.at(-1) as BusDict);
      },
      after(context, given, asked) {
        const isDirectory = asked.directory?.value === true;
        const { rest, isForReading } = takeAnswer(given);
        const rights = isForReading ? readOnly : all;
        return replaceUris(rest, (uris) => context.documents?.addUris(uris, rights, isDirectory));
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

function askWhetherToWrite({ instance }: CallContext, given: BusDict): void {
  const choices = (given.choices?.value ?? []) as Choice[];
  if (choices.some(([id]) => id === mayWrite)) throw new InvalidArgument(`the choice ${mayWrite} is Cloche's own`);
  const own: Choice = [mayWrite, `${instance} may change it`, [], "true"];
  given.choices = new Variant(list(choice, 33).signature, [...choices, own]);
}

/** The answer to our own question is not the guest's; a dialog without choices leaves it as it is: yes. */
function takeAnswer({ choices, ...rest }: BusDict): { rest: BusDict; isForReading: boolean } {
  const chosen = (choices?.value ?? []) as Chosen[];
  const others = chosen.filter(([id]) => id !== mayWrite);
  const isForReading = chosen.some(([id, selected]) => id === mayWrite && selected === "false");
  return { rest: { ...rest, ...(others.length > 0 && { choices: new Variant("a(ss)", others) }) }, isForReading };
}

async function replaceUris(
  results: BusDict,
  replace: (uris: string[]) => Promise<string[]> | undefined,
): Promise<BusDict> {
  const uris = (await replace((results.uris?.value ?? []) as string[])) ?? [];
  return { ...results, uris: new Variant("as", uris) };
}
