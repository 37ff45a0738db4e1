// Checks the guest's messages against the schema generated from native/protocol.
import { Ajv2020 } from "ajv/dist/2020.js";
import { ClocheError } from "../errors.ts";
import { encodeFrame } from "./frame.ts";
import schema from "./protocol.schema.json" with { type: "json" };
import {
  type ControlFromGuest,
  type ControlToGuest,
  type ExecFromGuest,
  type ExecToGuest,
  frameKind,
} from "./protocol.ts";

const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(schema, "link");
const validators = {
  control: ajv.compile<ControlFromGuest>({ $ref: "link#/$defs/ControlFromGuest" }),
  exec: ajv.compile<ExecFromGuest>({ $ref: "link#/$defs/ExecFromGuest" }),
};

/** One message of the control channel. Throws `protocol`. */
export const parseControl = (payload: Buffer): ControlFromGuest => parse(payload, validators.control);
/** One message of an exec session. Throws `protocol`. */
export const parseExec = (payload: Buffer): ExecFromGuest => parse(payload, validators.exec);

/** The frame that carries `message` to the guest. */
export function encodeMessage(message: ControlToGuest | ExecToGuest): Buffer {
  return encodeFrame(frameKind.json, Buffer.from(JSON.stringify(message)));
}

function parse<T>(payload: Buffer, isValid: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw new ClocheError("protocol", "the guest sent a message that is not JSON", { cause });
  }
  if (!isValid(value)) throw new ClocheError("protocol", "the guest sent a message that the protocol does not have");
  return value;
}
