// JSON Schema (2020-12) checks of what comes from outside. A check is compiled when it is first needed.
import { Ajv2020, type AnySchemaObject, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";

export type SchemaError = ErrorObject;

export interface SchemaCheck<T> {
  isValid(value: unknown): value is T;
  /** What was wrong with the last value; the first thing only. */
  readonly error: SchemaError | undefined;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });

/** A check against `schema`, or against the part of it that `pointer` names, such as `#/$defs/Hello`. */
export function schemaCheck<T>(schema: AnySchemaObject, pointer?: string): SchemaCheck<T> {
  const compile = (): ValidateFunction<T> => {
    if (pointer === undefined || schema.$id === undefined) return ajv.compile<T>(schema);
    if (ajv.getSchema(schema.$id) === undefined) ajv.addSchema(schema);
    return ajv.compile<T>({ $ref: schema.$id + pointer });
  };
  let validate: ValidateFunction<T> | undefined;
  return {
    isValid(value): value is T {
      validate ??= compile();
      return validate(value);
    },
    get error() {
      return validate?.errors?.[0];
    },
  };
}
