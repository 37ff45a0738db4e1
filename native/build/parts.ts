// The native parts.
import { buildCdylib, buildStaticProgram, identifyRust, installStaticProgram, staticRecipe } from "./cargo.ts";
import { addonRecipe, buildAddon, buildModule, identifyCxx, moduleRecipe } from "./cxx.ts";
import type { Part } from "./part.ts";

/** The device's version; nothing else names it. */
const vhostDeviceVsock = { name: "vhost-device-vsock", version: "0.3.0" };

/** As PipeWire names its modules. */
const mediaModule = "libpipewire-module-cloche-media.so";

const workspace = ["native/Cargo.toml", "native/Cargo.lock"];

const crateProgram = (name: string, program: string, sources: readonly string[]): Part => ({
  name,
  output: program,
  sources: [...workspace, ...sources],
  recipe: staticRecipe,
  identifyCompiler: identifyRust,
  build: (path, directories) => buildStaticProgram(program, path, directories),
});

export const parts: readonly Part[] = [
  {
    name: "bindings",
    output: "bindings.node",
    sources: [...workspace, "native/bindings"],
    recipe: [],
    identifyCompiler: identifyRust,
    build: (path, directories) => buildCdylib("cloche-bindings", path, directories),
  },
  {
    name: "fdpass",
    output: "fdpass.node",
    sources: [
      "native/fdpass/src",
      "node_modules/node-addon-api/package.json",
      "node_modules/node-api-headers/package.json",
    ],
    recipe: addonRecipe,
    identifyCompiler: identifyCxx,
    build: (path, { checkout }) => buildAddon("native/fdpass/src", path, checkout),
  },
  {
    name: "media",
    output: mediaModule,
    sources: ["native/media/src"],
    recipe: moduleRecipe,
    identifyCompiler: identifyCxx,
    build: (path, { checkout }) => buildModule("native/media/src", path, checkout),
  },
  crateProgram("guest", "cloche-guest", [
    "native/guest",
    "native/cross-domain",
    "native/wayland",
    "native/protocol",
    "native/x11",
    "native/portals",
    "native/media/cloche-media.conf",
  ]),
  crateProgram("gpu", "cloche-gpu", ["native/gpu", "native/wayland"]),
  crateProgram("lens", "cloche-lens", ["native/lens", "native/wayland"]),
  {
    name: vhostDeviceVsock.name,
    output: vhostDeviceVsock.name,
    sources: [],
    recipe: [vhostDeviceVsock.version, ...staticRecipe],
    identifyCompiler: identifyRust,
    build: (path, directories) => installStaticProgram(vhostDeviceVsock, path, directories),
  },
];
