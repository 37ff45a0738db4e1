// How much of the user's attention an instance may take: requests that are open, and how fast new ones come.

/** Requests of one instance that may wait for the user at a time. */
export const maxOpenRequests = 4;
/** Calls of one instance that may wait for an answer at a time. */
export const maxWaitingCalls = 64;
/** Sessions of one instance that may be open at a time. */
export const maxSessions = 16;
const burst = 8;
const refillMs = 2_000;

/** A token bucket. */
export class Bucket {
  readonly #size: number;
  readonly #refillMs: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  constructor(size = burst, refill = refillMs, now = () => performance.now()) {
    this.#size = size;
    this.#refillMs = refill;
    this.#now = now;
    this.#tokens = size;
    this.#filledAt = now();
  }

  /** Takes a token, where there is one. */
  take(): boolean {
    const now = this.#now();
    const whole = Math.floor((now - this.#filledAt) / this.#refillMs);
    this.#tokens = Math.min(this.#size, this.#tokens + whole);
    this.#filledAt = this.#tokens === this.#size ? now : this.#filledAt + whole * this.#refillMs;
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** For a request that the user granted: whoever is answered with yes does not pester. */
  giveBack(): void {
    this.#tokens = Math.min(this.#size, this.#tokens + 1);
  }
}
