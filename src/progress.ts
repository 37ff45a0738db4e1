// Progress of work that takes longer than a moment, told to whoever watches: a terminal, a pipe, or nobody.

export interface Step {
  /** A short detail of what is happening now, and how much is done (0 to 1) where that is known. */
  update(detail: string, fraction?: number): void;
  done(detail?: string): void;
  fail(): void;
}

export interface Progress {
  step(title: string, expectedSeconds?: number): Step;
}

const silentStep: Step = { update() {}, done() {}, fail() {} };

export const silentProgress: Progress = { step: () => silentStep };
