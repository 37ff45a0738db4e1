import { spawnSync } from "node:child_process";
import test from "ava";
import { commandNames, loadAllCommands } from "../../../src/cli/commands.ts";
import { bashCompletion } from "../../../src/cli/completion/bash.ts";
import { fishCompletion } from "../../../src/cli/completion/fish.ts";
import { zshCompletion } from "../../../src/cli/completion/zsh.ts";
import { commandHelp, overallHelp } from "../../../src/cli/help.ts";
import { manualPage } from "../../../src/cli/man.ts";
import { resolveCommand } from "../../../src/cli/resolve.ts";
import { plainStyle } from "../../../src/cli/style.ts";

const commands = await loadAllCommands();

test("each command is registered under its own name", (t) => {
  t.deepEqual(
    commands.map(({ name }) => name),
    [...commandNames],
  );
});

for (const command of commands)
  test(`the help of ${command.name} mentions all that it takes`, (t) => {
    const text = commandHelp(command, plainStyle);
    for (const [name, { short }] of Object.entries(command.options)) {
      t.true(text.includes(`--${name}`), name);
      if (short !== undefined) t.true(text.includes(`-${short}, --${name}`), short);
    }
    for (const { name } of command.arguments) t.true(text.includes(name), name);
    t.true(text.includes("--json") && text.includes("--help"));
    t.notRegex(text, /undefined|\[object/);
  });

test("the help of Cloche lists every command and exit status", (t) => {
  const text = overallHelp(commands, plainStyle);
  for (const { name, summary } of commands) t.true(text.includes(name) && text.includes(summary), name);
  for (const status of ["125", "126", "127", "128+n", "130"]) t.true(text.includes(status), status);
});

test("bash reads its completion script", (t) => {
  const { status, stderr } = spawnSync("bash", ["-n"], { input: bashCompletion(commands), encoding: "utf8" });
  t.is(status, 0, stderr);
});

test("each shell completes every option, and asks for names", (t) => {
  const scripts = [bashCompletion(commands), zshCompletion(commands), fishCompletion(commands)];
  for (const script of scripts) {
    for (const { options } of commands)
      for (const name of Object.keys(options)) t.regex(script, new RegExp(`(--|-l )${name}\\b`));
    for (const kind of ["app", "instance"]) t.regex(script, new RegExp(`(__complete|_cloche_names) ${kind}`));
  }
});

test("the manual has every command and option, and only ASCII", (t) => {
  const page = manualPage(commands, "1.2.3").replaceAll("\\-", "-");
  for (const { name, options } of commands) {
    t.true(page.includes(`.SS ${name}`), name);
    for (const option of Object.keys(options)) t.true(page.includes(`--${option}`), option);
  }
  t.regex(page, /^[\n\x20-\x7e]*$/);
});

test("a command of two words is found, and a mistyped one is answered", (t) => {
  t.deepEqual(resolveCommand(["image", "list", "--json"]), { kind: "command", name: "image list", rest: ["--json"] });
  t.deepEqual(resolveCommand(["image", "--help"]), { kind: "group", name: "image" });
  t.like(
    t.throws(() => resolveCommand(["isnpect"])),
    { code: "usage", hint: "Did you mean cloche inspect?" },
  );
  t.like(
    t.throws(() => resolveCommand(["image", "biuld"])),
    { code: "usage", hint: "Did you mean cloche image build?" },
  );
  t.like(
    t.throws(() => resolveCommand(["constructor"])),
    { code: "usage" },
  );
});
