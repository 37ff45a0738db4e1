// A host's session whose portal has the scripted back end, and nothing in front of it.
import { Backend, makePortalDirectory } from "./backend.ts";
import { type Session, startSession } from "./session.ts";

export interface ScriptedHost extends AsyncDisposable {
  readonly session: Session;
  readonly backend: Backend;
}

export async function startScriptedHost(): Promise<ScriptedHost> {
  await using cleanup = new AsyncDisposableStack();
  const session = cleanup.use(
    await startSession(async (directory) => ({
      XDG_CURRENT_DESKTOP: "cloche",
      XDG_DESKTOP_PORTAL_DIR: await makePortalDirectory(directory),
    })),
  );
  const backend = cleanup.use(await Backend.start(session.address));
  const resources = cleanup.move();
  return { session, backend, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
