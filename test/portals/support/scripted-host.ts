// A host's session whose portal has the scripted back end, and nothing in front of it.
import { Bus } from "../../../portals/bus.ts";
import { Documents } from "../../../portals/documents.ts";
import { Backend, makePortalDirectory } from "./backend.ts";
import { type Session, startSession, type User } from "./session.ts";

export interface ScriptedHost extends AsyncDisposable {
  readonly session: Session;
  readonly backend: Backend;
  /** Resolves once the document portal runs: its files are there for mount namespaces that are made later. */
  documentsReady(): Promise<void>;
}

export async function startScriptedHost(user?: User): Promise<ScriptedHost> {
  await using cleanup = new AsyncDisposableStack();
  const session = cleanup.use(
    await startSession(
      async (directory) => ({
        XDG_CURRENT_DESKTOP: "cloche",
        XDG_DESKTOP_PORTAL_DIR: await makePortalDirectory(directory),
      }),
      user,
    ),
  );
  const backend = cleanup.use(await Backend.start(session.address));
  const resources = cleanup.move();
  return {
    session,
    backend,
    async documentsReady() {
      using bus = await Bus.connect(session.address);
      await Documents.open(bus, "dev.cloche.test");
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
