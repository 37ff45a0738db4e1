import { monitors } from "./monitors.ts";
import { declareParity } from "./parity.ts";

await declareParity(monitors.crosvm);
