// The name of one instance: APP or APP@INSTANCE, as a user types it.
import { ClocheError } from "../errors.ts";

/** Sockets live below a directory of this name, and a socket's path may have 107 bytes. */
const maxLength = 40;
const word = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export interface InstanceName {
  readonly app: string;
  /** What stands behind the `@`; undefined for an application's first instance. */
  readonly instance: string | undefined;
  /** `foot` or `foot@work`: the directory's name, and what `ps` shows. */
  readonly id: string;
}

/** Reads `APP[@INSTANCE]`. Throws `usage` for anything that could be mistaken for a path, an option or two names. */
export function parseInstanceName(text: string): InstanceName {
  const [app = "", instance, ...more] = text.split("@");
  const words = instance === undefined ? [app] : [app, instance];
  if (more.length > 0 || text.length > maxLength || !words.every((part) => word.test(part))) {
    throw new ClocheError(
      "usage",
      `${JSON.stringify(text.slice(0, 80))} is not the name of an application or instance`,
      {
        hint: `Use APP or APP@INSTANCE: letters, digits, ".", "_" and "-", at most ${maxLength} characters.`,
      },
    );
  }
  return { app, instance, id: text };
}

/** The host name that the guest gets: `foot-work`. */
export function hostnameOf(name: InstanceName): string {
  return name.id.replaceAll(/[^A-Za-z0-9-]/g, "-").toLowerCase();
}
