// The table in docs/conformance.md, from what is expected.
import { expected, reasons } from "./expected.ts";

/** The interface that a test file is about, as docs/portals.md names it. */
const interfaces: Readonly<Record<string, string>> = {
  account: "Account",
  documents: "Documents",
  email: "Email",
  filechooser: "FileChooser",
  globalshortcuts: "GlobalShortcuts",
  inhibit: "Inhibit",
  notification: "Notification",
  openuri: "OpenURI",
  screenshot: "Screenshot",
  settings: "Settings",
  trash: "Trash",
};

export function renderTable(): string {
  const rows = Object.entries(expected).flatMap(([file, tests]) =>
    Object.entries(tests).map(([test, outcome]) => {
      const [name = "", parameters = ""] = test.replace(/\]$/, "").split("[");
      const title = parameters === "" ? name : `${name} (${parameters})`;
      return `| ${interfaces[file] ?? file} | ${title} | ${outcome === "passes" ? "passes" : `fails: ${reasons[outcome]}`} |`;
    }),
  );
  return ["| interface | test | outcome |", "|---|---|---|", ...rows, ""].join("\n");
}
