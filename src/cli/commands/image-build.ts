// cloche image build: the images of applications, before they are needed.
import { defineCommand, flag } from "../model.ts";

export const imageBuild = defineCommand({
  name: "image build",
  summary: "Build the images of applications",
  description: [
    "What is stored and still fits its recipe is kept. The monitor runtime and the kernel are built too where they are missing.",
  ],
  arguments: [{ name: "APP", help: "applications of the catalogue", complete: "app", isList: true, isOptional: true }],
  options: {
    all: flag("build those of the whole catalogue"),
    update: flag("build them anew, with the newest packages"),
  },
  json: "an array: name, digest, kernel, initrd, root",
  examples: [
    { line: "cloche image build foot", text: "have it ready for the first run" },
    { line: "cloche image build --all --update", text: "all security updates" },
  ],
  async run(context, { options, arguments: names }) {
    const { buildImages } = await import("../image-commands.ts");
    return buildImages(context, { names, ...options });
  },
});
