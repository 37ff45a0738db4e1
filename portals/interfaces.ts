// The interfaces that the broker knows, one file each.
import { account } from "./interfaces/account.ts";
import { camera } from "./interfaces/camera.ts";
import { documents } from "./interfaces/documents.ts";
import { email } from "./interfaces/email.ts";
import { fileChooser } from "./interfaces/file-chooser.ts";
import { fileTransfer } from "./interfaces/file-transfer.ts";
import { globalShortcuts } from "./interfaces/global-shortcuts.ts";
import { inhibit } from "./interfaces/inhibit.ts";
import { memoryMonitor } from "./interfaces/memory-monitor.ts";
import { networkMonitor } from "./interfaces/network-monitor.ts";
import { notification } from "./interfaces/notification.ts";
import { openUri } from "./interfaces/open-uri.ts";
import { powerProfileMonitor } from "./interfaces/power-profile-monitor.ts";
import { proxyResolver } from "./interfaces/proxy-resolver.ts";
import { screenCast } from "./interfaces/screen-cast.ts";
import { screenshot } from "./interfaces/screenshot.ts";
import { secret } from "./interfaces/secret.ts";
import { settings } from "./interfaces/settings.ts";
import { trash } from "./interfaces/trash.ts";
import type { Portal } from "./portal.ts";

export const portals: readonly Portal[] = [
  account,
  camera,
  documents,
  email,
  fileChooser,
  fileTransfer,
  globalShortcuts,
  inhibit,
  memoryMonitor,
  networkMonitor,
  notification,
  openUri,
  powerProfileMonitor,
  proxyResolver,
  screenCast,
  screenshot,
  secret,
  settings,
  trash,
];
