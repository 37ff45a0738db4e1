// cloche image verify: reads images whole and compares them with their digests.
import { defineCommand } from "../model.ts";

export const imageVerify = defineCommand({
  name: "image verify",
  summary: "Compare stored images with their digests, byte by byte",
  arguments: [
    { name: "IMAGE", help: "stored images; all without one", complete: "image", isList: true, isOptional: true },
  ],
  options: {},
  json: "an array: name, intact, error",
  examples: [],
  async run(context, { arguments: names }) {
    const { verifyImages } = await import("../image-commands.ts");
    return verifyImages(context, names);
  },
});
