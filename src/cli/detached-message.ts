// What a detached supervisor tells the command that started it.
import { ClocheError, type ErrorCode, errorCodes } from "../errors.ts";
import type { ReadyFacts } from "./announce.ts";
import { causesOf, type ErrorDocument, errorDocument } from "./error-report.ts";

export type StepMessage =
  | { readonly type: "step"; readonly id: number; readonly title: string; readonly expectedSeconds: number | null }
  | { readonly type: "update"; readonly id: number; readonly detail: string; readonly fraction: number | null }
  | { readonly type: "done"; readonly id: number; readonly detail: string | null }
  | { readonly type: "fail"; readonly id: number };

export type ChildMessage =
  | StepMessage
  | { readonly type: "ready"; readonly facts: ReadyFacts; readonly hasTiming: boolean }
  | { readonly type: "failed"; readonly error: PackedError };

export type PackedError = ErrorDocument["error"] & { readonly causes: readonly string[] };

export const packError = (error: unknown): PackedError => ({ ...errorDocument(error).error, causes: causesOf(error) });

/** An error that is reported as the packed one would have been. */
export function reviveError({ code, message, hint, stage, console, causes }: PackedError): Error {
  const cause = causes.reduceRight<Error | undefined>((inner, text) => new Error(text, { cause: inner }), undefined);
  if (!isErrorCode(code)) return new Error(message, { cause });
  return new ClocheError(code, message, {
    console,
    cause,
    ...(hint !== null && { hint }),
    ...(stage !== null && { stage }),
  });
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code);
