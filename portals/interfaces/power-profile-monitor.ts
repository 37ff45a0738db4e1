// org.freedesktop.portal.PowerProfileMonitor: whether the computer saves power. A property, and nothing else.
import type { Portal } from "../portal.ts";

export const powerProfileMonitor: Portal = {
  name: "org.freedesktop.portal.PowerProfileMonitor",
  object: "desktop",
  version: 1,
  permission: "system-status",
  consent: "free",
  wants: "know whether the computer saves power",
  methods: {},
  properties: ["power-saver-enabled"],
};
