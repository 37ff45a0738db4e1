// D-Bus values on the link, as native/protocol writes them: from JSON to the library's values and back.
import { Variant } from "./bus.ts";

/** What a signature may nest, and a body hold: far beyond what any portal needs. */
const maxDepth = 8;
const maxValues = 16_384;

/** Bytes from the guest that are not what they say. */
export class WireError extends Error {}

/** A session's number, where D-Bus has its path. */
export class SessionNumber {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/** An index of the message's files, where D-Bus has a descriptor. */
export class FileIndex {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** Reads the values of a body. Throws `WireError` where they are not of their types. */
export function fromWire(signature: string, body: readonly unknown[]): unknown[] {
  const types = splitSignature(signature);
  if (types.length !== body.length) throw new WireError(`${body.length} values for ${types.length} types`);
  const reader = new WireReader();
  return types.map((type, index) => reader.read(type, body[index], 0));
}

/** A body for the link. Throws `WireError` for what has no place on it. */
export function toWire(signature: string, body: readonly unknown[]): unknown[] {
  const types = splitSignature(signature);
  if (types.length !== body.length) throw new WireError(`${body.length} values for ${types.length} types`);
  return types.map((type, index) => write(type, body[index]));
}

export const variantToWire = (variant: Variant): { type: string; data: unknown } => ({
  type: variant.signature,
  data: write(variant.signature, variant.value),
});

export const dictToWire = (dict: Readonly<Record<string, Variant>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(dict).map(([name, value]) => [name, variantToWire(value)]));

/** The complete types of a signature, in order. Throws `WireError` where it has one that is none. */
export function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let rest = signature; rest !== ""; ) {
    const length = typeLength(rest, 0);
    types.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return types;
}

function typeLength(text: string, depth: number): number {
  const [first = ""] = text;
  if (depth > maxDepth) throw new WireError("a signature nests too deep");
  if ("ybnqiuxtdsogvh".includes(first) && first !== "") return 1;
  if (first === "a" && text[1] === "{") return 2 + dictLength(text.slice(2), depth + 1);
  if (first === "a") return 1 + typeLength(text.slice(1), depth + 1);
  if (first !== "(") throw new WireError(`${JSON.stringify(text.slice(0, 20))} is no signature`);
  let length = 1;
  while (text[length] !== ")") length += typeLength(text.slice(length), depth + 1);
  if (length === 1) throw new WireError("a structure without members");
  return length + 1;
}

/** Of `sv}`: only names are keys. */
function dictLength(text: string, depth: number): number {
  if (text[0] !== "s") throw new WireError("a dictionary with keys that are no strings");
  const length = 1 + typeLength(text.slice(1), depth);
  if (text[length] !== "}") throw new WireError("a dictionary without an end");
  return length + 1;
}

const integerRanges: Readonly<Record<string, readonly [number, number]>> = {
  y: [0, 255],
  n: [-32_768, 32_767],
  q: [0, 65_535],
  i: [-(2 ** 31), 2 ** 31 - 1],
  u: [0, 2 ** 32 - 1],
};
const bigRanges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  x: [-(2n ** 63n), 2n ** 63n - 1n],
  t: [0n, 2n ** 64n - 1n],
};

class WireReader {
  #values = 0;

  read(type: string, json: unknown, depth: number): unknown {
    this.#values += 1;
    if (this.#values > maxValues || depth > maxDepth) throw new WireError("a body holds too much");
    const mismatch = () => new WireError(`a value is not of type ${type}`);
    const [first = ""] = type;
    const range = integerRanges[first];
    if (range) {
      if (typeof json !== "number" || !Number.isInteger(json) || json < range[0] || json > range[1]) throw mismatch();
      return json;
    }
    const bigRange = bigRanges[first];
    if (bigRange) {
      if (typeof json !== "string" || !/^-?\d{1,20}$/.test(json)) throw mismatch();
      const value = BigInt(json);
      if (value < bigRange[0] || value > bigRange[1]) throw mismatch();
      return value;
    }
    switch (first) {
      case "b":
        if (typeof json !== "boolean") throw mismatch();
        return json;
      case "d":
        if (typeof json !== "number") throw mismatch();
        return json;
      case "s":
        // D-Bus has no NUL in a string, and UTF-8 no lone surrogate.
        if (typeof json !== "string" || json.includes("\0") || !json.isWellFormed()) throw mismatch();
        return json;
      case "o":
        return new SessionNumber(this.#index(json, mismatch));
      case "h":
        return new FileIndex(this.#index(json, mismatch));
      case "v":
        return this.#variant(json, depth, mismatch);
      case "a":
        return this.#array(type.slice(1), json, depth, mismatch);
      case "(":
        return this.#structure(type, json, depth, mismatch);
      default:
        throw mismatch();
    }
  }

  #index(json: unknown, mismatch: () => WireError): number {
    if (typeof json !== "number" || !Number.isInteger(json) || json < 0 || json >= 2 ** 32) throw mismatch();
    return json;
  }

  #variant(json: unknown, depth: number, mismatch: () => WireError): Variant {
    if (!isRecord(json) || typeof json.type !== "string" || json.type.length > 255) throw mismatch();
    if (splitSignature(json.type).length !== 1) throw mismatch();
    return new Variant(json.type, this.read(json.type, json.data, depth + 1));
  }

  #array(type: string, json: unknown, depth: number, mismatch: () => WireError): unknown {
    if (type === "y") {
      if (typeof json !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(json)) throw mismatch();
      return Buffer.from(json, "base64");
    }
    if (!type.startsWith("{")) {
      if (!Array.isArray(json)) throw mismatch();
      return json.map((element) => this.read(type, element, depth + 1));
    }
    if (!isRecord(json)) throw mismatch();
    const value = type.slice(2, -1);
    const entries = Object.entries(json);
    if (entries.some(([name]) => name.includes("\0") || !name.isWellFormed())) throw mismatch();
    return Object.fromEntries(entries.map(([name, element]) => [name, this.read(value, element, depth + 1)]));
  }

  #structure(type: string, json: unknown, depth: number, mismatch: () => WireError): unknown[] {
    const members = splitSignature(type.slice(1, -1));
    if (!Array.isArray(json) || json.length !== members.length) throw mismatch();
    return members.map((member, index) => this.read(member, json[index], depth + 1));
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function write(type: string, value: unknown): unknown {
  const mismatch = () => new WireError(`a value is not of type ${type}`);
  switch (type[0]) {
    case "x":
    case "t":
      return String(value);
    case "v":
      if (!(value instanceof Variant)) throw mismatch();
      return variantToWire(value);
    case "o":
      if (!(value instanceof SessionNumber)) throw mismatch();
      return value.number;
    case "a":
      if (type === "ay") return Buffer.from(value as Buffer).toString("base64");
      if (type[1] !== "{") return (value as unknown[]).map((element) => write(type.slice(1), element));
      return Object.fromEntries(
        Object.entries(value as object).map(([name, element]) => [name, write(type.slice(3, -1), element)]),
      );
    case "(": {
      const members = splitSignature(type.slice(1, -1));
      return members.map((member, index) => write(member, (value as unknown[])[index]));
    }
    case "h":
      // A connection to the guest's own PipeWire, which lasts as long as that session.
      if (!(value instanceof SessionNumber)) throw mismatch();
      return value.number;
    default:
      return value;
  }
}
