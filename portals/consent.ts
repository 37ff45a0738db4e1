// Whether an instance may do something: what is set, what was answered in this run, and else the user.
import { askUser, type Question, type Verdict } from "./access-dialog.ts";
import type { Bus } from "./bus.ts";
import { changeSetting, readSettings } from "./permissions.ts";
import type { Permission, Portal } from "./portal.ts";

export type Asker = (question: Question, signal: AbortSignal) => Promise<Verdict>;

export type Consent = { readonly isYes: boolean; readonly by: "setting" | "dialog" | "default" };

/** A dialog, and how many calls wait for it. */
interface OpenQuestion {
  readonly consent: Promise<Consent>;
  readonly controller: AbortController;
  waiting: number;
}

export class Consents {
  readonly #instance: string;
  readonly #appId: string;
  readonly #ask: Asker;
  /** Answers that hold while it runs. */
  readonly #answers = new Map<Permission, boolean>();
  readonly #open = new Map<Permission, OpenQuestion>();

  constructor(instance: string, appId: string, ask: Asker) {
    this.#instance = instance;
    this.#appId = appId;
    this.#ask = ask;
  }

  /** By the dialogs of the desktop on `bus`. */
  static onDesktop(bus: Bus, instance: string, appId: string): Consents {
    return new Consents(instance, appId, (question, signal) => askUser(bus, question, signal));
  }

  /** Whether `portal` may be used; asks where it says so, after `onAsk`. What is set counts from the next call on, also while it runs. */
  async decide(
    portal: Portal,
    consent: Portal["consent"],
    signal: AbortSignal,
    onAsk: () => void = () => {},
  ): Promise<Consent> {
    const { permission } = portal;
    const setting = (await readSettings(this.#instance))[permission];
    if (setting !== undefined) return { isYes: setting === "allow", by: "setting" };
    if (consent !== "ask") return { isYes: true, by: "default" };
    const answered = this.#answers.get(permission);
    if (answered !== undefined) return { isYes: answered, by: "dialog" };
    onAsk();
    return this.#join(portal, signal);
  }

  /** Asks, or waits with those who have asked the same; the dialog closes when nobody waits any more. */
  async #join(portal: Portal, signal: AbortSignal): Promise<Consent> {
    const { permission } = portal;
    const question = this.#open.get(permission) ?? this.#begin(portal);
    const left = Promise.withResolvers<Consent>();
    const leave = () => {
      left.resolve({ isYes: false, by: "default" });
      question.waiting -= 1;
      if (question.waiting > 0) return;
      // Also where the desktop never answers, the next one asks anew.
      this.#forget(permission, question);
      question.controller.abort();
    };
    question.waiting += 1;
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([question.consent, left.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #begin(portal: Portal): OpenQuestion {
    const controller = new AbortController();
    const question: OpenQuestion = { waiting: 0, controller, consent: this.#askUser(portal, controller.signal) };
    const forget = () => this.#forget(portal.permission, question);
    question.consent.then(forget, forget);
    this.#open.set(portal.permission, question);
    return question;
  }

  #forget(permission: Permission, question: OpenQuestion): void {
    if (this.#open.get(permission) === question) this.#open.delete(permission);
  }

  /** Whether the user has set that it is allowed without a dialog. */
  async isSet(permission: Permission): Promise<boolean> {
    return (await readSettings(this.#instance))[permission] === "allow";
  }

  async #askUser({ permission, wants }: Portal, signal: AbortSignal): Promise<Consent> {
    const question = {
      title: `Allow ${this.#instance} to ${wants}?`,
      body: `${this.#instance} runs in a virtual machine of Cloche. Change it at any time: cloche permission set ${this.#instance} ${permission}=deny`,
      appId: this.#appId,
    };
    const verdict = await this.#ask(question, signal);
    if (verdict === undefined) return { isYes: false, by: "default" };
    if (verdict.lifetime === "running") this.#answers.set(permission, verdict.isYes);
    if (verdict.lifetime === "always" && verdict.isYes) await changeSetting(this.#instance, permission, "allow");
    return { isYes: verdict.isYes, by: "dialog" };
  }
}
