// What lasts longer than a request: sessions of one guest with the host's portal, under numbers instead of the host's paths.
import type { HostPortal } from "./host-portal.ts";
import { maxSessions } from "./limits.ts";
import { InvalidArgument } from "./readers.ts";
import { SessionNumber } from "./wire.ts";

interface Session {
  readonly interface: string;
  /** On the host; undefined for what only we hold. */
  readonly path: string | undefined;
  /** Ends what is held for it. */
  readonly ends: (() => void)[];
}

export class Sessions {
  readonly #host: HostPortal;
  readonly #open = new Map<number, Session>();
  #last = 0;

  constructor(host: HostPortal) {
    this.#host = host;
  }

  /** Throws where the guest has as many as it may. Call it before the host is asked. */
  checkRoom(): void {
    if (this.#open.size >= maxSessions) throw new InvalidArgument(`${maxSessions} sessions are open`);
  }

  /** Gives a session of the host's portal a number. */
  add(interfaceName: string, path: string): number {
    this.#last += 1;
    this.#open.set(this.#last, { interface: interfaceName, path, ends: [] });
    return this.#last;
  }

  /** Holds something for as long as a session of the guest's lasts. Throws where there is none. */
  holdFor(interfaceName: string, session: SessionNumber, end: () => void): void {
    this.pathOf(interfaceName, session);
    this.#open.get(session.number)?.ends.push(end);
  }

  /** Whether anything is held for a session. */
  isHolding({ number }: SessionNumber): boolean {
    return (this.#open.get(number)?.ends.length ?? 0) > 0;
  }

  /** Holds something until the guest has no use for it: a number of its own. */
  hold(interfaceName: string, end: () => void): number {
    this.checkRoom();
    this.#last += 1;
    this.#open.set(this.#last, { interface: interfaceName, path: undefined, ends: [end] });
    return this.#last;
  }

  /** The host's path of a session that the guest names. Throws where it has none of that interface. */
  pathOf(interfaceName: string, session: unknown): string {
    const found = session instanceof SessionNumber ? this.#open.get(session.number) : undefined;
    if (found?.interface !== interfaceName || found.path === undefined)
      throw new InvalidArgument("there is no such session");
    return found.path;
  }

  /** The session that the host names; undefined where it is none of this guest's. */
  named(path: unknown): SessionNumber | undefined {
    const found = [...this.#open].find(([, session]) => session.path === path);
    return found && new SessionNumber(found[0]);
  }

  /** The host has ended it: its number, where it is this guest's. */
  forget(path: string): number | undefined {
    const number = this.named(path)?.number;
    if (number !== undefined) this.#remove(number);
    return number;
  }

  /** There is no use for it any more. Whether there was one. */
  close(number: number): boolean {
    const session = this.#remove(number);
    if (session?.path !== undefined) this.#host.closeSession(session.path);
    return session !== undefined;
  }

  #remove(number: number): Session | undefined {
    const session = this.#open.get(number);
    this.#open.delete(number);
    for (const end of session?.ends ?? []) end();
    return session;
  }

  /** Closes those of an interface; their numbers. */
  closeOf(interfaceName: string): number[] {
    const numbers = [...this.#open].filter(([, session]) => session.interface === interfaceName).map(([one]) => one);
    for (const number of numbers) this.close(number);
    return numbers;
  }

  closeAll(): void {
    for (const number of [...this.#open.keys()]) this.close(number);
  }
}
