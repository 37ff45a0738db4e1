// Tells the user, by a notification of the desktop's that can stop it, what of theirs an instance looks at.
import { Variant } from "./bus.ts";
import type { HostPortal } from "./host-portal.ts";

const name = "org.freedesktop.portal.Notification";
const id = "dev.cloche.in-use";
const stopAction = "stop";

/** Whether a notification's name is one of our own, which no guest may use. */
export const isOwnNotification = (text: string): boolean => text.startsWith("dev.cloche.");

export class InUseNotice {
  readonly #host: HostPortal;
  readonly #instance: string;
  /** One after the other: the last word counts. */
  #telling: Promise<unknown> = Promise.resolve();

  private constructor(host: HostPortal, instance: string) {
    this.#host = host;
    this.#instance = instance;
  }

  /** `stop` is called when the user says so. */
  static async open(host: HostPortal, instance: string, stop: () => void): Promise<InUseNotice> {
    await host.onSignal(name, "ActionInvoked", ([about, action]) => {
      if (about === id && action === stopAction) stop();
    });
    return new InUseNotice(host, instance);
  }

  /** Says what is in use now. A desktop without notifications does not show it; `inspect` and the log do. */
  tell(inUse: readonly string[]): void {
    this.#telling = this.#telling.then(() => this.#show(inUse)).catch(() => {});
  }

  async #show(inUse: readonly string[]): Promise<void> {
    if (inUse.length === 0) {
      await this.#host.call(name, "RemoveNotification", "s", [id]);
      return;
    }
    const notification = {
      title: new Variant("s", `[${this.#instance}] uses the ${inUse.join(" and the ")}`),
      body: new Variant("s", "It does so until its window lets go of it, or you stop it."),
      priority: new Variant("s", "high"),
      buttons: new Variant("aa{sv}", [{ label: new Variant("s", "Stop"), action: new Variant("s", stopAction) }]),
    };
    await this.#host.call(name, "AddNotification", "sa{sv}", [id, notification]);
  }
}
