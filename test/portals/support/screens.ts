// A screen that the user picks in the scripted dialog. A camera stands in its place.
import { execa } from "execa";
import { type BusDict, Variant } from "../../../portals/bus.ts";
import type { Backend } from "./backend.ts";
import { picture } from "./cameras.ts";
import type { Session } from "./session.ts";
import { granted } from "./world.ts";

interface PipeWireObject {
  readonly id: number;
  readonly info?: { readonly props?: Readonly<Record<string, unknown>> };
}

/** Nodes of a session's PipeWire by their names. */
export async function nodesOf({ environment }: Session): Promise<Map<string, number>> {
  const { stdout } = await execa("pw-dump", { env: environment, extendEnv: false });
  // What changes while it looks follows as an array of its own.
  const [first] = stdout.split(/^(?=\[)/m);
  const objects: PipeWireObject[] = JSON.parse(first ?? "[]");
  return new Map(objects.map(({ id, info }) => [String(info?.props?.["node.name"]), id]));
}

/** What a stream of it is said to be. */
export const screenFacts = {
  size: new Variant("(ii)", [picture.width, picture.height]),
  source_type: new Variant("u", 1),
} as const;

/** From now on the user picks the whole screen, whenever they are asked. */
export async function pickScreen(host: Session, backend: Backend): Promise<void> {
  const node = (await nodesOf(host)).get("test-camera");
  const facts: BusDict = { ...screenFacts, secret: new Variant("s", "the host's own") };
  const streams = new Variant("a(ua{sv})", [[node, facts]]);
  backend.answer = ({ name }) => granted(name === "ScreenCast.Start" ? { streams } : {});
}
