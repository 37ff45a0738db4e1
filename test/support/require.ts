// Tests that need more of the machine than others: they are skipped with a reason, or fail where CLOCHE_REQUIRE names the feature.
import test, { type Implementation } from "ava";

export type Declare = (title: string, run: Implementation<[]>) => void;

/** Features that a skip may be for; CLOCHE_REQUIRE is a list of them, separated by commas. */
export type Feature =
  | "kvm"
  | "cloud-hypervisor"
  | "crosvm"
  | "tcg"
  | "root"
  | "fuse"
  | "pipewire"
  | "network"
  | "unprivileged-user"
  | "wayland-security-context";

/** Declares tests as ava does. `reason` says in words why the feature is missing; undefined means that it is there. */
export function needs(feature: Feature, reason: string | undefined): { parallel: Declare; serial: Declare } {
  if (reason === undefined) return { parallel: test, serial: test.serial };
  const required = (process.env.CLOCHE_REQUIRE ?? "").split(",").includes(feature);
  const declare: Declare = required
    ? (title) => test(title, (t) => t.fail(`CLOCHE_REQUIRE names ${feature}, and ${reason}`))
    : (title, run) => test.skip(`${title} (needs ${feature}: ${reason})`, run);
  return { parallel: declare, serial: declare };
}
