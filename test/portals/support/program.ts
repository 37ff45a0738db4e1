// A program in the guest, as portal libraries make their calls.
import { randomBytes } from "node:crypto";
import { Bus, type BusDict, BusError, Variant } from "../../../portals/bus.ts";

const portal = { destination: "org.freedesktop.portal.Desktop", path: "/org/freedesktop/portal/desktop" };

export interface ProgramRequest {
  /** The path that the method returned. */
  readonly path: string;
  readonly response: Promise<{ readonly code: number; readonly results: BusDict }>;
  close(): Promise<void>;
}

export class Program implements Disposable {
  readonly bus: Bus;

  private constructor(bus: Bus) {
    this.bus = bus;
  }

  static async start(address: string): Promise<Program> {
    return new Program(await Bus.connect(address));
  }

  /** `name` is like `Settings.Read`. */
  async call(name: string, signature = "", body: readonly unknown[] = []): Promise<unknown[]> {
    const [short = "", member = ""] = name.split(".");
    return this.bus.call({ ...portal, interface: `org.freedesktop.portal.${short}`, member, signature, body });
  }

  /** The error name of a call that is refused; undefined where it is not. */
  async refusalOf(name: string, signature = "", body: readonly unknown[] = []): Promise<string | undefined> {
    try {
      await this.call(name, signature, body);
      return undefined;
    } catch (error) {
      if (error instanceof BusError) return error.errorName;
      throw error;
    }
  }

  /** Makes a request; the options are the last of `body`, and get a token. */
  async request(
    name: string,
    signature: string,
    body: readonly unknown[],
    token = newToken(),
  ): Promise<ProgramRequest> {
    const sender = this.bus.name.slice(1).replaceAll(".", "_");
    const expected = `${portal.path}/request/${sender}/${token}`;
    const response = Promise.withResolvers<{ code: number; results: BusDict }>();
    const match = { interface: "org.freedesktop.portal.Request", member: "Response" };
    let actual = expected;
    const heard = await this.bus.onSignal(match, ({ path, body: [code, results] }) => {
      if (path === actual) response.resolve({ code: Number(code), results: results as BusDict });
    });
    void response.promise.finally(() => heard[Symbol.asyncDispose]());
    const options = { ...(body.at(-1) as BusDict), handle_token: new Variant("s", token) };
    const [path] = await this.call(name, signature, [...body.slice(0, -1), options]);
    actual = String(path);
    const close = async () => {
      await this.bus.call({ ...portal, path: actual, interface: "org.freedesktop.portal.Request", member: "Close" });
    };
    return { path: actual, response: response.promise, close };
  }

  /** A request's outcome. */
  async ask(name: string, signature: string, body: readonly unknown[]) {
    return (await this.request(name, signature, body)).response;
  }

  async property(short: string, name: string): Promise<unknown> {
    const get = { ...portal, interface: "org.freedesktop.DBus.Properties", member: "Get", signature: "ss" };
    const [value] = await this.bus.call({ ...get, body: [`org.freedesktop.portal.${short}`, name] });
    return (value as Variant).value;
  }

  [Symbol.dispose](): void {
    this.bus[Symbol.dispose]();
  }
}

const newToken = (): string => `t${randomBytes(6).toString("hex")}`;
