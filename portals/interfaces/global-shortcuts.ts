// org.freedesktop.portal.GlobalShortcuts: key combinations that reach the instance also while another window has the focus.
import { beginSession, forwardRequest, type Portal } from "../portal.ts";
import { list, matching, options, parentWindow, session, structure, text } from "../readers.ts";

const shortcutId = matching(/^[^\p{Cc}]+$/u, 255);
const asked = structure(shortcutId, options({ description: text(512), preferred_trigger: text(255) }));
const bound = list(structure(text(255), options({ description: text(512), trigger_description: text(512) })), 256);

export const globalShortcuts: Portal = {
  name: "org.freedesktop.portal.GlobalShortcuts",
  object: "desktop",
  version: 1,
  permission: "global-shortcuts",
  consent: "ask",
  wants: "react to key combinations while you use another window",
  methods: {
    // Nothing is bound by it.
    CreateSession: beginSession([options({})], { consent: () => "free" }),
    BindShortcuts: forwardRequest([session, list(asked, 64), parentWindow, options({})], { shortcuts: bound }),
    ListShortcuts: forwardRequest([session, options({})], { shortcuts: bound }, { consent: () => "free" }),
  },
  signals: {
    Activated: { signature: "osta{sv}" },
    Deactivated: { signature: "osta{sv}" },
    ShortcutsChanged: { signature: "oa(sa{sv})" },
  },
};
