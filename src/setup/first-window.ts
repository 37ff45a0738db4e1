// The first window: on the user's desktop, or on a headless one that a picture is taken of.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { packagePath, stateDirectory } from "../paths.ts";
import { startHeadlessDesktop } from "./headless-desktop.ts";
import { becomeOrdinary } from "./ordinary-user.ts";
import { crop, difference, encodePng, type Picture } from "./picture.ts";
import { SetupError } from "./setup-error.ts";
import type { Stages } from "./stages.ts";

const windowDeadlineMs = 180_000;
const typedDeadlineMs = 60_000;
const endDeadlineMs = 20_000;
const typed = "uname -a";
/** The shell numbers its prompts in the window's title, which the compositor tells us of. */
const numberedPrompts = String.raw`PROMPT_COMMAND=printf '\e]2;%s@%s %d\a' "$USER" "$HOSTNAME" $((n = n + 1))`;

/** Opens it and returns at once; the window outlives this process. */
export async function openOnDesktop(app: string, stages: Stages, signal: AbortSignal): Promise<string> {
  const argv = ["run", app, "--detach"];
  const { exitCode } = await stages.run("Window", undefined, () =>
    execa(packagePath("bin", "cloche"), argv, {
      ...{ stdin: "ignore", stdout: "inherit", stderr: "inherit", reject: false, cancelSignal: signal },
    }),
  );
  if (exitCode !== 0)
    throw new SetupError("Window", `cloche ${argv.join(" ")} ended with status ${exitCode}`, "cloche doctor");
  return `${app} runs in a microVM, and its window is on your desktop. Close it, or end it by: cloche stop ${app}`;
}

/** Types into it, takes the picture, and ends everything. */
export async function photographHeadless(app: string, stages: Stages, signal: AbortSignal): Promise<string> {
  await using user = await becomeOrdinary();
  const cloche = join(user.checkout, "bin", "cloche");
  await using desktop = await stages.run("Headless desktop", 3, () => startHeadlessDesktop(user));
  const isWindow = (window: { app_id?: string | null }) => window.app_id === `cloche.${app}`;
  const running = desktop.start([cloche, "run", app, "--timing", "-e", numberedPrompts]);
  const over = new AbortController();
  const ended = running.then(({ exitCode, stderr }) => {
    over.abort();
    throw new SetupError(
      "Window",
      `cloche run ${app} ended with status ${exitCode}\n${stderr}`,
      "cloche doctor says what works here.",
    );
  });
  ended.catch(() => {});
  const giveUp = AbortSignal.any([signal, over.signal]);
  const prompt = (number: number) =>
    desktop.waitForWindow(
      (window) => isWindow(window) && window.name?.endsWith(`@${app} ${number}`) === true,
      windowDeadlineMs,
      giveUp,
    );
  const work = async () => {
    await stages.run("Window", 10, () => desktop.waitForWindow(isWindow, windowDeadlineMs, giveUp));
    const picture = await stages.run(`Typing ${typed}`, 5, async () => {
      await prompt(1);
      const { window_rect: content, rect } = await desktop.waitForWindow(isWindow, windowDeadlineMs, giveUp);
      const letters = (picture: Picture) => crop(picture, { ...content, x: rect.x + content.x, y: rect.y + content.y });
      const before = letters(await desktop.settledPicture(typedDeadlineMs));
      await desktop.type(`${typed}\n`);
      await prompt(2);
      return desktop.settledPicture(typedDeadlineMs, (now) => difference(before, letters(now)) > 0);
    });
    const path = join(stateDirectory(), "first-window.png");
    await mkdir(stateDirectory(), { recursive: true, mode: 0o700 });
    await writeFile(path, encodePng(picture));
    return path;
  };
  const path = await Promise.race([work(), ended]);
  await stages.run("End", 3, async () => {
    await desktop.start([cloche, "stop", app], { timeoutMs: endDeadlineMs });
    await ended.catch(() => {});
  });
  return `The picture of ${app}'s window, with the guest's answer to ${typed}: ${path}`;
}
