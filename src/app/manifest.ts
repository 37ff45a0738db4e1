// Reads an application's manifest (TOML) into a value that the rest can trust.
import { parse, TomlError } from "smol-toml";
import { ClocheError } from "../errors.ts";
import { type SchemaError, schemaCheck } from "../schema.ts";
import schema from "./manifest.schema.json" with { type: "json" };

/** Bytes. The largest manifest of the catalogue has less than one thousandth of it. */
const maxBytes = 256 * 1024;

export interface Manifest {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  /** The program and its arguments, run in the guest without a shell. */
  readonly command: readonly string[];
  /** Debian packages that the image is made of, besides the base. */
  readonly packages: readonly string[];
  readonly cpus: number;
  readonly memoryMib: number;
}

interface ManifestDocument extends Omit<Manifest, "cpus" | "memoryMib"> {
  machine?: { cpus?: number; memory_mib?: number };
}

const check = schemaCheck<ManifestDocument>(schema);

/** Parses the bytes of `file`. Throws `bad-manifest` that names the file, the line and the field. */
export function parseManifest(bytes: Uint8Array, file: string): Manifest {
  if (bytes.byteLength > maxBytes) {
    throw new ClocheError("bad-manifest", `${file}: ${bytes.byteLength} bytes, and a manifest has at most ${maxBytes}`);
  }
  const text = new TextDecoder().decode(bytes);
  const document = readToml(text, file);
  if (!check.isValid(document)) throw fieldError(text, file, check.error);
  const { machine, ...rest } = document;
  return Object.freeze({ ...rest, cpus: machine?.cpus ?? 2, memoryMib: machine?.memory_mib ?? 1024 });
}

function readToml(text: string, file: string): unknown {
  try {
    return parse(text, { maxDepth: 8 });
  } catch (cause) {
    if (!(cause instanceof TomlError))
      throw new ClocheError("bad-manifest", `${file}: not readable as TOML`, { cause });
    const reason = cause.message.split("\n")[0]?.replace("Invalid TOML document: ", "") ?? "";
    throw new ClocheError("bad-manifest", `${file}:${cause.line}:${cause.column}: ${reason}`, { cause });
  }
}

function fieldError(text: string, file: string, error: SchemaError | undefined): ClocheError {
  const params: Record<string, unknown> = error?.params ?? {};
  const extra = params.additionalProperty ?? params.missingProperty;
  const path = [...(error?.instancePath.split("/").slice(1) ?? []), ...(typeof extra === "string" ? [extra] : [])];
  const field = path.filter((part) => !/^\d+$/.test(part));
  const reason =
    error?.keyword === "additionalProperties"
      ? "unknown field"
      : error?.keyword === "required"
        ? "is missing"
        : (error?.message ?? "is not valid");
  return new ClocheError("bad-manifest", `${file}:${lineOf(text, field)}: ${field.join(".") || "document"}: ${reason}`);
}

/** The line (from 1) on which the field is set; that of its table, or 1, where it is not. */
function lineOf(text: string, field: readonly string[]): number {
  const lines = text.split("\n");
  const find = (pattern: RegExp, from: number) => lines.findIndex((line, index) => index >= from && pattern.test(line));
  const [first = "", second] = field;
  const quote = (key: string) => key.replaceAll(/[^A-Za-z0-9_-]/g, "\\$&");
  if (second === undefined)
    return Math.max(find(new RegExp(`^\\s*"?${quote(first)}"?\\s*=|^\\s*\\[\\s*${quote(first)}\\s*\\]`), 0), 0) + 1;
  const table = Math.max(find(new RegExp(`^\\s*\\[\\s*${quote(first)}\\s*\\]`), 0), 0);
  const inside = find(new RegExp(`^\\s*"?${quote(second)}"?\\s*=`), table);
  return (inside < 0 ? table : inside) + 1;
}
