// What every build is given.
import type { Progress } from "../progress.ts";
import type { Store } from "./store.ts";

export interface BuildContext {
  readonly store: Store;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** Takes the newest packages, also where the stored ones fit the recipe. */
  readonly update?: boolean;
  /** Builds again what is damaged or missing, which otherwise is an error. */
  readonly repair?: boolean;
  /** Path of the guest's agent; by default the one that was built with this program. */
  readonly agent?: string;
}
