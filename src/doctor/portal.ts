// The desktop's own dialogs: whether its xdg-desktop-portal answers.
import { readPortalVersion } from "../../portals/portal-version.ts";
import { ClocheError } from "../errors.ts";
import type { Finding } from "./finding.ts";

/** A warning at most: instances run without it. */
export async function checkPortal(): Promise<Omit<Finding, "name">> {
  try {
    const version = await readPortalVersion("org.freedesktop.portal.FileChooser");
    return { verdict: "ok", text: `this desktop's portal offers file dialogs (version ${version})` };
  } catch (error) {
    if (!(error instanceof ClocheError)) throw error;
    const hint = "Install xdg-desktop-portal and the backend of your desktop, for example xdg-desktop-portal-gtk.";
    return { verdict: "warn", text: error.message, hint };
  }
}
