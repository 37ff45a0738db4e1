// org.freedesktop.portal.Trash: documents of the instance, moved to the host's trash.
import * as fdpass from "../../native/fdpass/index.ts";
import type { Portal } from "../portal.ts";
import { file, InvalidArgument } from "../readers.ts";
import type { FileIndex } from "../wire.ts";

/** The result of what was not moved. */
const didNot = 0;

export const trash: Portal = {
  name: "org.freedesktop.portal.Trash",
  object: "desktop",
  version: 1,
  permission: "trash",
  consent: "ask",
  wants: "move its documents to the trash",
  methods: {
    TrashFile: {
      kind: "call",
      args: [file],
      returns: "u",
      async run(context, [index]) {
        const named = context.files[(index as FileIndex).index];
        if (named === undefined) throw new InvalidArgument("not a file of the message");
        // Only documents are moved to the trash, by a descriptor that can write.
        if (named.type !== "shared" || named.tag !== "documents" || !named.writable) return [didNot];
        const fd = await context.openForHost(named, "write");
        try {
          return await context.callHost("h", [fd]);
        } finally {
          fdpass.close(fd);
        }
      },
    },
  },
};
