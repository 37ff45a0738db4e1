// The desktop: whether a compositor answers.
import { findCompositor } from "../display/compositor.ts";
import type { Finding } from "./finding.ts";

/** Throws `no-display`. */
export async function checkDisplay(): Promise<Omit<Finding, "name">> {
  return { verdict: "ok", text: `a compositor answers on ${await findCompositor()}` };
}
