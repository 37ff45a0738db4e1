// Whether an instance may do something: what is set, what was answered in this run, and else the user.
import { askUser, type Question, type Verdict } from "./access-dialog.ts";
import type { Bus } from "./bus.ts";
import { changeSetting, readSettings } from "./permissions.ts";
import type { Permission, Portal } from "./portal.ts";

export type Asker = (question: Question, signal: AbortSignal) => Promise<Verdict>;

export type Consent = { readonly isYes: boolean; readonly by: "setting" | "dialog" | "default" };

export class Consents {
  readonly #instance: string;
  readonly #appId: string;
  readonly #ask: Asker;
  /** Answers that hold while it runs. */
  readonly #answers = new Map<Permission, boolean>();
  /** A question that is open: whoever asks the same meanwhile gets the same answer. */
  readonly #open = new Map<Permission, Promise<Consent>>();

  constructor(instance: string, appId: string, ask: Asker) {
    this.#instance = instance;
    this.#appId = appId;
    this.#ask = ask;
  }

  /** By the dialogs of the desktop on `bus`. */
  static onDesktop(bus: Bus, instance: string, appId: string): Consents {
    return new Consents(instance, appId, (question, signal) => askUser(bus, question, signal));
  }

  /** Whether `portal` may be used; asks where it says so. What is set counts from the next call on, also while it runs. */
  async decide(portal: Portal, consent: Portal["consent"], signal: AbortSignal): Promise<Consent> {
    const { permission } = portal;
    const setting = (await readSettings(this.#instance))[permission];
    if (setting !== undefined) return { isYes: setting === "allow", by: "setting" };
    if (consent !== "ask") return { isYes: true, by: "default" };
    const answered = this.#answers.get(permission);
    if (answered !== undefined) return { isYes: answered, by: "dialog" };
    const open = this.#open.get(permission);
    if (open !== undefined) return open;
    const asked = this.#askUser(portal, signal).finally(() => this.#open.delete(permission));
    this.#open.set(permission, asked);
    return asked;
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
