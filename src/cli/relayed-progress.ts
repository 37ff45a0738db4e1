// Progress across two processes: told on a channel by the one, shown by the other.
import type { Progress, Step } from "../progress.ts";
import type { StepMessage } from "./detached-message.ts";

/** Sends each step as messages. */
export class SentProgress implements Progress {
  readonly #send: (message: StepMessage) => void;
  #count = 0;

  constructor(send: (message: StepMessage) => void) {
    this.#send = send;
  }

  step(title: string, expectedSeconds?: number): Step {
    this.#count += 1;
    const id = this.#count;
    this.#send({ type: "step", id, title, expectedSeconds: expectedSeconds ?? null });
    return {
      update: (detail, fraction) => this.#send({ type: "update", id, detail, fraction: fraction ?? null }),
      done: (detail) => this.#send({ type: "done", id, detail: detail ?? null }),
      fail: () => this.#send({ type: "fail", id }),
    };
  }
}

/** Shows the steps that the messages tell of. */
export class RelayedProgress {
  readonly #progress: Progress;
  readonly #steps = new Map<number, Step>();

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  take(message: StepMessage): void {
    if (message.type === "step") {
      this.#steps.set(message.id, this.#progress.step(message.title, message.expectedSeconds ?? undefined));
      return;
    }
    const step = this.#steps.get(message.id);
    if (message.type !== "update") this.#steps.delete(message.id);
    if (message.type === "update") step?.update(message.detail, message.fraction ?? undefined);
    else if (message.type === "done") step?.done(message.detail ?? undefined);
    else step?.fail();
  }
}
