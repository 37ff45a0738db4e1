// Ctrl-C and its kin: the first one aborts, the second one is told apart.

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Watches from its making until it is disposed of. */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  readonly #first = Promise.withResolvers<NodeJS.Signals>();
  readonly #again = Promise.withResolvers<void>();
  #received: NodeJS.Signals | undefined;

  constructor() {
    for (const name of names) process.on(name, this.#take);
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first, if it came. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  /** Resolves with the first. */
  get first(): Promise<NodeJS.Signals> {
    return this.#first.promise;
  }

  /** Resolves with the second. */
  get again(): Promise<void> {
    return this.#again.promise;
  }

  [Symbol.dispose](): void {
    for (const name of names) process.off(name, this.#take);
  }

  /** Counts as a signal: whoever waits for us has gone. */
  readonly raise = (name: NodeJS.Signals): void => this.#take(name);

  readonly #take = (name: NodeJS.Signals): void => {
    if (this.#received !== undefined) {
      this.#again.resolve();
      return;
    }
    this.#received = name;
    this.#controller.abort();
    this.#first.resolve(name);
  };
}
