// org.freedesktop.portal.Email: a draft in the user's own mail program; the user sends it, or not.
import { forwardRequest, type Portal } from "../portal.ts";
import { list, matching, options, parentWindow, text } from "../readers.ts";

/** What a mail program could take for more than an address has no place in one. */
const address = matching(/^[^\s<>,;&?"\p{Cc}]+@[^\s<>,;&?"\p{Cc}]+$/u, 320);
const many = list(address, 64);

export const email: Portal = {
  name: "org.freedesktop.portal.Email",
  object: "desktop",
  version: 4,
  permission: "email",
  consent: "ask",
  wants: "begin a mail in your mail program",
  methods: {
    ComposeEmail: forwardRequest(
      [
        parentWindow,
        options({
          address,
          addresses: many,
          cc: many,
          bcc: many,
          subject: matching(/^[^\p{Cc}]*$/u, 998),
          body: text(65_536),
          activation_token: text(1024),
        }),
      ],
      {},
    ),
  },
};
