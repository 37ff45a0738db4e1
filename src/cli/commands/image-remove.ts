// cloche image remove: takes images out of the store.
import { defineCommand } from "../model.ts";

export const imageRemove = defineCommand({
  name: "image remove",
  summary: "Remove images that no running instance uses",
  arguments: [{ name: "IMAGE", help: "stored images", complete: "image", isList: true }],
  options: {},
  json: "an array of the names that were removed",
  examples: [{ line: "cloche image remove foot", text: "the next run builds it again" }],
  async run(context, { arguments: names }) {
    const { removeImages } = await import("../image-commands.ts");
    return removeImages(context, names);
  },
});
