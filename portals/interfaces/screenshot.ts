// org.freedesktop.portal.Screenshot: a picture of the screen as a document of the instance, or the colour of one of its points.
import { Variant } from "../bus.ts";
import { forwardRequest, type Portal } from "../portal.ts";
import { boolean, options, parentWindow, text } from "../readers.ts";

const colour = { signature: "(ddd)", read: (value: unknown) => value };

export const screenshot: Portal = {
  name: "org.freedesktop.portal.Screenshot",
  object: "desktop",
  version: 2,
  permission: "screenshot",
  consent: "ask",
  givesDocuments: true,
  wants: "take a picture of your screen",
  methods: {
    Screenshot: forwardRequest(
      [parentWindow, options({ modal: boolean, interactive: boolean })],
      { uri: text(4096) },
      {
        async after(context, { uri }) {
          const uris = await context.documents?.addUris([String(uri?.value)], ["read", "delete"], false);
          return { uri: new Variant("s", uris?.[0] ?? "") };
        },
      },
    ),
    PickColor: forwardRequest([parentWindow, options({})], { color: colour }, { since: 2 }),
  },
};
