// Where the time of a launch went: named stages, one after the other.

export interface StageTime {
  readonly stage: string;
  /** Milliseconds, rounded. */
  readonly ms: number;
}

export class Stopwatch {
  readonly #stages: StageTime[] = [];
  readonly #start = performance.now();
  #last = this.#start;
  #current = "start";

  /** The stage that is under way: what a failure is reported with. */
  get current(): string {
    return this.#current;
  }

  get stages(): readonly StageTime[] {
    return this.#stages;
  }

  begin(stage: string): void {
    this.finish();
    this.#current = stage;
  }

  /** Ends the stage under way. */
  finish(): void {
    const now = performance.now();
    if (this.#current !== "start") this.#stages.push({ stage: this.#current, ms: Math.round(now - this.#last) });
    this.#last = now;
    this.#current = "start";
  }

  /** Milliseconds since the launch began. */
  get totalMs(): number {
    return Math.round(performance.now() - this.#start);
  }
}
