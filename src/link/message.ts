// Checks the guest's messages against the schema generated from native/protocol.
import { ClocheError } from "../errors.ts";
import { type SchemaCheck, schemaCheck } from "../schema.ts";
import { encodeFrame } from "./frame.ts";
import schema from "./protocol.schema.json" with { type: "json" };
import {
  type ControlFromGuest,
  type ControlToGuest,
  type ExecFromGuest,
  type ExecToGuest,
  frameKind,
  type PortalsFromGuest,
  type PortalsToGuest,
} from "./protocol.ts";

const control = schemaCheck<ControlFromGuest>(schema, "#/$defs/ControlFromGuest");
const portals = schemaCheck<PortalsFromGuest>(schema, "#/$defs/PortalsFromGuest");
const exec = schemaCheck<ExecFromGuest>(schema, "#/$defs/ExecFromGuest");

/** One message of the control channel. Throws `protocol`. */
export const parseControl = (payload: Buffer): ControlFromGuest => parse(payload, control);
/** One message of an exec session. Throws `protocol`. */
export const parseExec = (payload: Buffer): ExecFromGuest => parse(payload, exec);

/** One message of the portals process. Throws `protocol`. */
export const parsePortals = (payload: Buffer): PortalsFromGuest => parse(payload, portals);

/** The frame that carries `message` to the guest. */
export function encodeMessage(message: ControlToGuest | ExecToGuest | PortalsToGuest): Buffer {
  return encodeFrame(frameKind.json, Buffer.from(JSON.stringify(message)));
}

function parse<T>(payload: Buffer, check: SchemaCheck<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw new ClocheError("protocol", "the guest sent a message that is not JSON", { cause });
  }
  if (!check.isValid(value))
    throw new ClocheError("protocol", "the guest sent a message that the protocol does not have");
  return value;
}
