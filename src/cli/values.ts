// Reads the values of options. Each function throws RangeError that says what would be right.

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));

/** A count within limits, such as CPUs. */
export const readInteger =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    throw new RangeError(`${quoted(text)} is not a whole number from ${minimum} to ${maximum}`);
  };

const minMemoryMib = 128;
const maxMemoryMib = 1_048_576;

/** `512`, `512M`, `2G` (also MiB, GiB): MiB. */
export function readMemory(text: string): number {
  const [, digits, unit = "m"] = /^(\d{1,7}(?:\.\d{1,3})?)\s*([mg])?(?:i?b)?$/i.exec(text) ?? [];
  if (digits === undefined) throw new RangeError(`${quoted(text)} is not a size of memory; use 512, 512M or 2G`);
  const mib = Number(digits) * (unit.toLowerCase() === "g" ? 1024 : 1);
  if (!Number.isInteger(mib)) throw new RangeError(`${quoted(text)} is not a whole number of MiB`);
  if (mib >= minMemoryMib && mib <= maxMemoryMib) return mib;
  throw new RangeError(`${quoted(text)} is not between ${minMemoryMib}M and ${maxMemoryMib / 1024}G`);
}

/** `NAME=VALUE`. */
export function readVariable(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0));
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return [name, text.slice(at + 1)];
  throw new RangeError(`${quoted(text)} is not of the form NAME=VALUE`);
}

/** Seconds, up to ten minutes, with a fraction if need be: milliseconds. */
export function readSeconds(text: string): number {
  const seconds = /^\d{1,3}(\.\d{1,3})?s?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (seconds <= 600) return Math.round(seconds * 1000);
  throw new RangeError(`${quoted(text)} is not a number of seconds from 0 to 600`);
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `5m`, `2h`, `1d` back from `nowMs`, or a date and time: milliseconds since 1970. */
export function readMoment(text: string, nowMs: number = Date.now()): number {
  const [, count, unit = "s"] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (unitMs[unit] ?? 0);
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  throw new RangeError(`${quoted(text)} is not a time; use 30s, 5m, 2h, 1d or 2026-01-31T12:00:00Z`);
}

/** An absolute path in the guest. */
export function readGuestPath(text: string): string {
  if (text.startsWith("/") && text.length <= 4096) return text;
  throw new RangeError(`${quoted(text)} is not an absolute path in the guest`);
}

/** Any text but the empty one. */
export function readText(text: string): string {
  if (text !== "") return text;
  throw new RangeError("the value is empty");
}
