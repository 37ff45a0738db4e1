// cloche list: the applications of the catalogue.
import { formatBytes } from "../amounts.ts";
import { printJson } from "../context.ts";
import { exitStatus } from "../exit-status.ts";
import { defineCommand } from "../model.ts";
import { renderTable } from "../table.ts";

export const list = defineCommand({
  name: "list",
  summary: "List the applications that can be run",
  description: ["Manifests of your own go into $XDG_CONFIG_HOME/cloche/apps, beside those that come with Cloche."],
  arguments: [],
  options: {},
  json: "an array: id, name, summary, image (null where it is not built: digest, bytes)",
  examples: [],
  async run(context) {
    const { listApps } = await import("../../app/catalogue.ts");
    const { storedImages } = await import("../stored-images.ts");
    const broken: string[] = [];
    const [apps, images] = await Promise.all([listApps(({ message }) => broken.push(message)), storedImages()]);
    for (const message of broken) await context.stderr.print(`cloche: left out: ${message}`);
    const entries = apps.map(({ manifest: { id, name, summary } }) => {
      const image = images.find((stored) => stored.name === id);
      return { id, name, summary, image: image ? { digest: image.digest, bytes: image.bytes } : null };
    });
    if (context.isJson) {
      await printJson(context, entries);
      return exitStatus.success;
    }
    const heading = ["APP", "NAME", "IMAGE", "SUMMARY"].map((word) => context.style("bold", word));
    const rows = entries.map(({ id, name, summary, image }) => [
      id,
      name,
      image ? formatBytes(image.bytes) : "not built",
      summary,
    ]);
    await context.stdout.print(renderTable([heading, ...rows]));
    return exitStatus.success;
  },
});
