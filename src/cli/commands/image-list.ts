// cloche image list: the images that are stored.
import { formatBytes } from "../amounts.ts";
import { printJson } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defineCommand } from "../model.ts";
import { renderTable } from "../table.ts";

export const imageList = defineCommand({
  name: "image list",
  summary: "List the images that are stored",
  arguments: [],
  options: {},
  json: "an array: name, digest, bytes, kernel, created, packages",
  examples: [],
  async run(context) {
    const { storedImages } = await import("../stored-images.ts");
    const images = await storedImages();
    if (context.isJson) {
      await printJson(context, images);
      return exitStatus.success;
    }
    const heading = ["IMAGE", "SIZE", "KERNEL", "PACKAGES", "BUILT", "DIGEST"].map((word) =>
      context.style("bold", word),
    );
    const rows = images.map(({ name, bytes, kernel, packages, created, digest }) => [
      name,
      formatBytes(bytes),
      kernel,
      String(packages),
      created.slice(0, 10),
      digest.slice(0, 16),
    ]);
    await context.stdout.print(renderTable([heading, ...rows]));
    return exitStatus.success;
  },
});
