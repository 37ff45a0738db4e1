// org.freedesktop.portal.Camera: the host's camera as a node of the guest's own PipeWire. It is on while a program of the guest looks.
import type { CallContext } from "../call-context.ts";
import { forwardRequest, NotAllowed, type Portal } from "../portal.ts";
import { options } from "../readers.ts";
import { SessionNumber } from "../wire.ts";

const shown = {
  "media.class": "Video/Source",
  "media.role": "Camera",
  "node.name": "cloche-camera",
  "node.description": "Camera of the host",
};

export const camera: Portal = {
  name: "org.freedesktop.portal.Camera",
  object: "desktop",
  version: 1,
  permission: "camera",
  consent: "ask",
  givesVideo: true,
  wants: "use your camera",
  properties: ["IsCameraPresent"],
  methods: {
    AccessCamera: forwardRequest(
      [options({})],
      {},
      {
        async after({ video }) {
          video?.allow("camera");
          return {};
        },
      },
    ),
    OpenPipeWireRemote: {
      kind: "call",
      args: [options({})],
      returns: "h",
      // AccessCamera is where the user is asked.
      consent: () => "free",
      async run(context) {
        const { video } = context;
        if (!video?.isAllowed("camera")) throw new NotAllowed("AccessCamera comes first");
        const opened = await video.share("camera", () => open(context));
        return [new SessionNumber(context.hold(opened))];
      },
    },
  },
};

async function open({ callHost, video }: CallContext) {
  if (video === undefined) throw new NotAllowed("there is no video");
  const [remote] = await callHost("a{sv}", [{}]);
  return video.show({ what: "camera", remote: Number(remote), capture: { "media.role": "Camera" }, shown });
}
