// Every command by name, each in a file that is loaded only when it is needed.
import type { Command } from "./model.ts";

const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./commands/run.ts")).run,
  ps: async () => (await import("./commands/ps.ts")).ps,
  inspect: async () => (await import("./commands/inspect.ts")).inspect,
  logs: async () => (await import("./commands/logs.ts")).logs,
  exec: async () => (await import("./commands/exec.ts")).exec,
  shell: async () => (await import("./commands/shell.ts")).shell,
  stop: async () => (await import("./commands/stop.ts")).stop,
  kill: async () => (await import("./commands/kill.ts")).kill,
  list: async () => (await import("./commands/list.ts")).list,
  "image build": async () => (await import("./commands/image-build.ts")).imageBuild,
  "image list": async () => (await import("./commands/image-list.ts")).imageList,
  "image remove": async () => (await import("./commands/image-remove.ts")).imageRemove,
  "image verify": async () => (await import("./commands/image-verify.ts")).imageVerify,
  "permission show": async () => (await import("./commands/permission-show.ts")).permissionShow,
  "permission set": async () => (await import("./commands/permission-set.ts")).permissionSet,
  "permission reset": async () => (await import("./commands/permission-reset.ts")).permissionReset,
  "permission log": async () => (await import("./commands/permission-log.ts")).permissionLog,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  completion: async () => (await import("./commands/completion.ts")).completion,
  man: async () => (await import("./commands/man.ts")).man,
  help: async () => (await import("./commands/help.ts")).help,
};

export const commandNames: readonly string[] = Object.keys(loaders);

/** Throws where `name` is not one of `commandNames`. */
export async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load === undefined) throw new RangeError(`no command ${name}`);
  return load();
}

export const loadAllCommands = (): Promise<Command[]> => Promise.all(commandNames.map(loadCommand));

/** The commands of a group such as `image`; none where there is no such group. */
export async function loadGroup(group: string): Promise<Command[]> {
  return Promise.all(commandNames.filter((name) => name.startsWith(`${group} `)).map(loadCommand));
}
