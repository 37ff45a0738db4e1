// org.freedesktop.portal.Account: the user's name and picture, where the user says so in the host's dialog.
import { Variant } from "../bus.ts";
import { forwardRequest, type Portal } from "../portal.ts";
import { options, parentWindow, text } from "../readers.ts";

export const account: Portal = {
  name: "org.freedesktop.portal.Account",
  object: "desktop",
  version: 1,
  permission: "account",
  consent: "dialog",
  wants: "know your name and picture",
  methods: {
    GetUserInformation: forwardRequest(
      [parentWindow, options({ reason: text(512) })],
      { id: text(256), name: text(256), image: text(4096) },
      {
        async after(context, { image, ...results }) {
          if (!image?.value || context.documents === undefined) return results;
          const [uri = ""] = await context.documents.addUris([String(image.value)], ["read"], false);
          return { ...results, image: new Variant("s", uri) };
        },
      },
    ),
  },
};
