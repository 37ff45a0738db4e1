import test from "ava";
import { exec } from "../../../src/cli/commands/exec.ts";
import { ps } from "../../../src/cli/commands/ps.ts";
import { run } from "../../../src/cli/commands/run.ts";
import { stop } from "../../../src/cli/commands/stop.ts";
import { loadAllCommands } from "../../../src/cli/commands.ts";
import { hasCommonFlag, parseCommandLine } from "../../../src/cli/parse.ts";
import { ClocheError } from "../../../src/errors.ts";

const words = (line: string) => line.split(" ").filter((word) => word !== "");

test("every option of run is read", (t) => {
  const line =
    "foot@work --temp --vmm qemu --share /a --share /b:ro --net internet -c 4 -m 2G -e A=1 --env B=x=y " +
    "--clipboard both --no-windows --command top --timing --detach --json -- -d 1";
  const { options, arguments: operands, trailing } = parseCommandLine(run, words(line));
  t.deepEqual(operands, ["foot@work"]);
  t.deepEqual(trailing, ["-d", "1"]);
  t.deepEqual(options, {
    temp: true,
    vmm: "qemu",
    share: ["/a", "/b:ro"],
    net: "internet",
    cpus: 4,
    memory: 2048,
    env: [
      ["A", "1"],
      ["B", "x=y"],
    ],
    clipboard: "both",
    "no-windows": true,
    command: "top",
    timing: true,
    "crosvm-disable-sandbox": false,
    detach: true,
  });
});

test("what is not typed has its default", (t) => {
  const { options } = parseCommandLine(run, ["foot"]);
  t.like(options, { vmm: "auto", net: "none", clipboard: "none", temp: false, cpus: undefined, share: [] });
});

test("what stands behind -- is not looked at", (t) => {
  const { trailing, options } = parseCommandLine(exec, words("-t -u root -w /tmp foot -- ls --json -t --bogus"));
  t.deepEqual(trailing, ["ls", "--json", "-t", "--bogus"]);
  t.like(options, { tty: true, user: "root", workdir: "/tmp" });
  t.false(hasCommonFlag(words("foot -- ls --json"), ["--json"]));
});

const wrong: readonly [string, typeof run | typeof exec | typeof ps | typeof stop, string, RegExp][] = [
  ["an unknown option", run, "foot --bogus", /no option --bogus/],
  ["an unknown letter", run, "foot -x", /no option -x/],
  ["a forgotten value", run, "foot --memory", /--memory needs a value/],
  ["an option in place of a value", run, "--memory --temp foot", /--memory needs a value/],
  ["-- in place of a value", exec, "foot -w -- ls", /-w needs a value/],
  ["a value of a flag", run, "foot --temp=yes", /--temp takes no value/],
  ["the same option twice", run, "foot -c 1 --cpus 2", /--cpus is given twice/],
  ["no number", run, "foot -c many", /--cpus: "many"/],
  ["no CPU", run, "foot -c 0", /--cpus: "0".*from 1 to 64/],
  ["too many CPUs", run, "foot --cpus 65", /--cpus: "65"/],
  ["no size", run, "foot -m 2T", /--memory: "2T".*512M or 2G/],
  ["an unknown network", run, "foot --net lan", /--net: "lan".*none, internet/],
  ["an unknown monitor", run, "foot --vmm bochs", /--vmm: "bochs"/],
  ["an unknown direction", run, "foot --clipboard all", /--clipboard: "all"/],
  ["a variable without a value", run, "foot -e HOME", /--env: "HOME".*NAME=VALUE/],
  ["an empty share", run, "foot --share=", /--share: the value is empty/],
  ["a relative directory of the guest", exec, "foot -w tmp -- ls", /--workdir: "tmp"/],
  ["an unknown user", exec, "foot -u admin -- ls", /--user: "admin"/],
  ["more seconds than there may be", stop, "foot --time 601", /--time: "601"/],
  ["no application", run, "--temp", /APP\[@INSTANCE\] is missing/],
  ["one argument too many", exec, "foot ls", /"ls" is one argument too many/],
  ["no command", exec, "foot --", /CMD ARGS… is missing/],
  ["something behind -- where nothing belongs", ps, "-- x", /ps takes nothing behind/],
];

for (const [title, command, line, message] of wrong)
  test(`${title} is refused by name`, (t) => {
    const error = t.throws(() => parseCommandLine(command, words(line)), { instanceOf: ClocheError });
    t.is(error?.code, "usage");
    t.regex(error?.message ?? "", message);
  });

test("a mistyped option is answered with the one that was meant", (t) => {
  t.like(
    t.throws(() => parseCommandLine(run, words("foot --memry 1G"))),
    { hint: "Did you mean --memory?" },
  );
});

test("no command has an option that every command has, and no letter stands for two", async (t) => {
  for (const { name, options } of await loadAllCommands()) {
    t.false("json" in options || "help" in options, name);
    const letters = Object.values(options).flatMap(({ short }) => short ?? []);
    t.is(new Set(letters).size, letters.length, name);
    t.false(letters.includes("h"), name);
  }
});
