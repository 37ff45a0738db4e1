// What one check of `cloche doctor` found.

export interface Finding {
  readonly name: string;
  /** `warn`: instances run, but something is weaker or missing. `fail`: they do not. */
  readonly verdict: "ok" | "warn" | "fail";
  readonly text: string;
  /** What to do about it, one sentence. */
  readonly hint?: string;
}

export interface Check {
  readonly name: string;
  /** Throws only for what it does not expect; that counts as `fail`. */
  readonly run: () => Promise<Omit<Finding, "name">>;
}
