// The checks of what an interface's arguments and options may be: one reader for each kind of value.
import { Variant } from "./bus.ts";
import { FileIndex } from "./wire.ts";

/** An argument that the interface does not allow. */
export class InvalidArgument extends Error {}

export interface Reader {
  /** Its D-Bus type. */
  readonly signature: string;
  /** The value as it is handed on: checked, and without what nobody knows. Throws `InvalidArgument`. */
  read(value: unknown): unknown;
}

const invalid = (what: string): InvalidArgument => new InvalidArgument(what);

const reader = (signature: string, read: (value: unknown) => unknown): Reader => ({ signature, read });

export const boolean: Reader = reader("b", (value) => value === true);

/** An unsigned number of which only the bits of `mask` are known; others are dropped. */
export const flags = (mask: number): Reader => reader("u", (value) => (Number(value) & mask) >>> 0);

export const unsigned = (max = 2 ** 32 - 1): Reader =>
  reader("u", (value) => {
    if (Number(value) > max) throw invalid(`${value} is more than ${max}`);
    return value;
  });

/** A text of at most so many characters. */
export const text = (maxLength: number): Reader =>
  reader("s", (value) => {
    const string = String(value);
    if (string.length > maxLength) throw invalid(`a text of ${string.length} characters; ${maxLength} are the most`);
    return string;
  });

/** A text that is one of these. */
export const oneOf = (...words: readonly string[]): Reader =>
  reader("s", (value) => {
    if (!words.includes(String(value))) throw invalid(`not one of ${words.join(", ")}`);
    return value;
  });

export const matching = (pattern: RegExp, maxLength: number): Reader =>
  reader("s", (value) => {
    const string = String(value);
    if (string.length > maxLength || !pattern.test(string)) throw invalid(`a text is not like ${pattern.source}`);
    return string;
  });

/** The name of a file: one element of a path, ended by a NUL where `isTerminated`. */
export const fileName: Reader = reader("s", (value) => checkFileName(String(value)));
export const fileNameBytes: Reader = reader("ay", (value) => {
  const name = checkFileName(textOfBytes(value as Buffer));
  return Buffer.from(`${name}\0`);
});

/** An absolute path in the guest, as D-Bus has paths: bytes that a NUL ends. What it names is looked up later. */
export const guestPath: Reader = reader("ay", (value) => {
  const path = textOfBytes(value as Buffer);
  if (!path.startsWith("/") || path.length > 4096) throw invalid("not an absolute path");
  return path;
});

function textOfBytes(value: Buffer): string {
  const end = value.indexOf(0);
  if (end < 0 || end !== value.length - 1) throw invalid("a path has its NUL at its end, and no other");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(value.subarray(0, end));
  } catch {
    throw invalid("a path is not UTF-8");
  }
}

function checkFileName(name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("/") || Buffer.byteLength(name) > 255)
    throw invalid("not the name of a file");
  return name;
}

export const list = (element: Reader, maxLength: number): Reader =>
  reader(`a${element.signature}`, (value) => {
    const values = value as unknown[];
    if (values.length > maxLength) throw invalid(`${values.length} elements; ${maxLength} are the most`);
    return values.map((one) => element.read(one));
  });

export const structure = (...members: readonly Reader[]): Reader =>
  reader(`(${members.map(({ signature }) => signature).join("")})`, (value) =>
    (value as unknown[]).map((one, index) => members[index]?.read(one)),
  );

/** Options by name. One that nobody knows is dropped; a known one of another type is an error, as xdg-desktop-portal has it. */
export const options = (known: Readonly<Record<string, Reader>>): Reader =>
  reader("a{sv}", (value) => {
    const kept: Record<string, Variant> = {};
    for (const [name, given] of Object.entries(value as Record<string, Variant>)) {
      const wanted = Object.hasOwn(known, name) ? known[name] : undefined;
      if (wanted === undefined) continue;
      if (given.signature !== wanted.signature)
        throw invalid(`the option ${name} is of type ${given.signature}, not ${wanted.signature}`);
      kept[name] = new Variant(wanted.signature, readNamed(name, wanted, given.value));
    }
    return kept;
  });

function readNamed(name: string, wanted: Reader, value: unknown): unknown {
  try {
    return wanted.read(value);
  } catch (cause) {
    throw cause instanceof InvalidArgument ? invalid(`${name}: ${cause.message}`) : cause;
  }
}

/** A variant of plain types: nothing in it refers to anything. */
export const plainVariant: Reader = reader("v", (value) => {
  const variant = value as Variant;
  if (/[oh]/.test(variant.signature) || variant.signature.length > 32) throw invalid("a variant of that type");
  return variant;
});

/** A file of the message. */
export const file: Reader = reader("h", (value) => {
  if (!(value instanceof FileIndex)) throw invalid("not a file");
  return value;
});

/** A session of the guest's; whose it is is looked up later. */
export const session: Reader = reader("o", (value) => value);

/** A parent window as portals write it; what it names is looked up later. */
export const parentWindow: Reader = text(1024);
