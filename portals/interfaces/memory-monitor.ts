// org.freedesktop.portal.MemoryMonitor: the host runs short of memory. What the guest frees is the host's again.
import type { Portal } from "../portal.ts";

export const memoryMonitor: Portal = {
  name: "org.freedesktop.portal.MemoryMonitor",
  object: "desktop",
  version: 1,
  permission: "system-status",
  consent: "free",
  wants: "know when memory runs short",
  methods: {},
  signals: { LowMemoryWarning: { signature: "y" } },
};
