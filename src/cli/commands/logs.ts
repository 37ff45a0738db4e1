// cloche logs: what an instance and its parts said.
import { defineCommand, flag, value } from "../model.ts";
import { readMoment } from "../values.ts";

export const logs = defineCommand({
  name: "logs",
  summary: "Show what an instance and its parts said",
  description: ["Also of an instance that has ended, until it is run again. Each line is TIME SOURCE MESSAGE."],
  arguments: [{ name: "INSTANCE", help: "an instance that runs or ran", complete: "log" }],
  options: {
    follow: flag("go on until the instance ends", { short: "f" }),
    since: value("TIME", "only what is younger: 30s, 5m, 2h, 1d or 2026-01-31T12:00:00Z", (text) => readMoment(text)),
  },
  json: "one object a line: time, source, message",
  examples: [
    { line: "cloche logs foot", text: "all that is kept" },
    { line: "cloche logs -f --since 5m foot", text: "the last five minutes, and what follows" },
  ],
  async run(context, { options, arguments: [name = ""] }) {
    const { showLog } = await import("../show-log.ts");
    return showLog(context, { name, isFollowed: options.follow, sinceMs: options.since });
  },
});
