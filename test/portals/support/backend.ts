// A back end of xdg-desktop-portal in this process: what the user would do is the test's to say.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Message, type MessageBus, sessionBus, Variant } from "dbus-next";
import type { BusDict } from "../../../portals/bus.ts";

const busName = "org.freedesktop.impl.portal.desktop.cloche";
const portalPath = "/org/freedesktop/portal/desktop";

/** Interfaces that answer with a code and results. */
const dialogs = [
  "Access",
  "Account",
  "AppChooser",
  "Email",
  "FileChooser",
  "GlobalShortcuts",
  "ScreenCast",
  "Screenshot",
];
const interfaces = [...dialogs, "Inhibit", "Notification", "Settings", "Lockdown"].map(
  (name) => `org.freedesktop.impl.portal.${name}`,
);

export interface BackendCall {
  /** Without `org.freedesktop.impl.portal.`: `FileChooser.OpenFile`. */
  readonly name: string;
  readonly body: readonly unknown[];
  /** Whether the portal has closed the request. */
  isClosed: boolean;
}

/** The code and the results; undefined never answers. */
export type Answer = readonly [code: number, results: BusDict] | undefined;

export class Backend implements Disposable {
  readonly calls: BackendCall[] = [];
  /** Sessions that the portal has closed, by their paths. */
  readonly closedSessions: string[] = [];
  /** What the user does with a dialog; by default nothing, for ever. */
  answer: (call: BackendCall) => Answer | Promise<Answer> = () => undefined;
  settings: Record<string, BusDict> = {
    "org.freedesktop.appearance": { "color-scheme": new Variant("u", 0) },
    "org.example.private": { secret: new Variant("s", "nobody's business") },
  };
  lockdown: BusDict = {};
  readonly #bus: MessageBus;

  private constructor(bus: MessageBus) {
    this.#bus = bus;
    bus.addMethodHandler((message: Message) => this.#serve(message));
  }

  /** Writes the portal's file into `directory`, which XDG_DESKTOP_PORTAL_DIR has to name, and takes the name on the bus. */
  static async start(address: string): Promise<Backend> {
    const bus = sessionBus({ busAddress: address });
    await new Promise<void>((resolve, reject) => {
      bus.on("connect", resolve);
      bus.on("error", reject);
      setTimeout(() => reject(new Error("the bus does not answer")), 10_000).unref();
    });
    const backend = new Backend(bus);
    await bus.requestName(busName, 0);
    return backend;
  }

  /** The dialogs that are open now. */
  get open(): BackendCall[] {
    return this.calls.filter(({ name, isClosed }) => dialogs.includes(name.split(".")[0] ?? "") && !isClosed);
  }

  named(name: string): BackendCall[] {
    return this.calls.filter((call) => call.name === name);
  }

  changeSetting(namespace: string, key: string, value: Variant): void {
    this.settings[namespace] = { ...this.settings[namespace], [key]: value };
    const name = "org.freedesktop.impl.portal.Settings";
    this.#bus.send(Message.newSignal(portalPath, name, "SettingChanged", "ssv", [namespace, key, value]));
  }

  invokeAction(appId: string, id: string, action: string): void {
    const name = "org.freedesktop.impl.portal.Notification";
    this.#bus.send(Message.newSignal(portalPath, name, "ActionInvoked", "sssav", [appId, id, action, []]));
  }

  /** Says something about a session: `name` is like `GlobalShortcuts.Activated`. */
  tell(name: string, signature: string, body: readonly unknown[]): void {
    const [short, member = ""] = name.split(".");
    const signal = Message.newSignal(portalPath, `org.freedesktop.impl.portal.${short}`, member, signature, [...body]);
    this.#bus.send(signal);
  }

  /** Ends a session, as a desktop does whose user has had enough of it. */
  endSession(path: string): void {
    this.#bus.send(Message.newSignal(path, "org.freedesktop.impl.portal.Session", "Closed", "", []));
  }

  #serve(message: Message): boolean {
    const { interface: name = "", member, body } = message;
    if (name === "org.freedesktop.DBus.Properties") return this.#tellProperties(message);
    if (name === "org.freedesktop.impl.portal.Request" && member === "Close") {
      for (const call of this.calls) if (call.body[0] === message.path) call.isClosed = true;
      this.#reply(message);
      return true;
    }
    if (name === "org.freedesktop.impl.portal.Session" && member === "Close") {
      this.closedSessions.push(message.path ?? "");
      this.#reply(message);
      return true;
    }
    if (!interfaces.includes(name)) return false;
    const short = name.slice("org.freedesktop.impl.portal.".length);
    const call: BackendCall = { name: `${short}.${member}`, body, isClosed: false };
    this.calls.push(call);
    if (short === "Settings") this.#tellSettings(message);
    else if (dialogs.includes(short)) void this.#ask(message, call);
    else if (call.name === "Inhibit.CreateMonitor") this.#reply(message, "u", [0]);
    else this.#reply(message);
    return true;
  }

  async #ask(message: Message, call: BackendCall): Promise<void> {
    const answer = await this.answer(call);
    if (answer === undefined) return;
    call.isClosed = true;
    this.#reply(message, "ua{sv}", [...answer]);
  }

  #tellSettings(message: Message): void {
    const [namespace, key] = message.body;
    const value = this.settings[namespace]?.[key];
    if (message.member === "ReadAll") this.#reply(message, "a{sa{sv}}", [this.settings]);
    else if (value) this.#reply(message, "v", [value]);
    else this.#bus.send(Message.newError(message as never, "org.freedesktop.portal.Error.NotFound", "none"));
  }

  #tellProperties(message: Message): boolean {
    const [name, property] = message.body;
    const properties: BusDict = String(name).endsWith(".Lockdown")
      ? this.lockdown
      : {
          version: new Variant("u", 3),
          SupportedOptions: new Variant("a{sv}", {}),
          AvailableSourceTypes: new Variant("u", 7),
          AvailableCursorModes: new Variant("u", 7),
        };
    if (message.member === "GetAll") this.#reply(message, "a{sv}", [properties]);
    else this.#reply(message, "v", [properties[property] ?? new Variant("b", false)]);
    return true;
  }

  #reply(message: Message, signature = "", body: unknown[] = []): void {
    this.#bus.send(Message.newMethodReturn(message, signature, body));
  }

  [Symbol.dispose](): void {
    this.#bus.disconnect();
  }
}

/** Makes a directory for XDG_DESKTOP_PORTAL_DIR that knows this back end only. */
export async function makePortalDirectory(parent: string): Promise<string> {
  const directory = join(parent, "portals");
  await mkdir(directory, { recursive: true });
  const text = ["[portal]", `DBusName=${busName}`, `Interfaces=${interfaces.join(";")};`, "UseIn=cloche;", ""];
  await writeFile(join(directory, "cloche.portal"), text.join("\n"));
  await writeFile(join(directory, "cloche-portals.conf"), "[preferred]\ndefault=cloche\n");
  return directory;
}
