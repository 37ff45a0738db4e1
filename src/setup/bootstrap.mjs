// `node bootstrap.mjs FILE.ts [ARGS…]`: makes node_modules what package-lock.json says, then runs FILE.ts on the Node that is in it.
// Plain JavaScript that any Node from 20 on runs with nothing installed.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const ownNode = join(root, "node_modules", "node", "bin", "node");
const oldestNode = 20;
const expectedSeconds = 60;

function fail(step, cause, hint) {
  process.stderr.write(`\n${step} failed: ${cause}\nhint: ${hint}\n`);
  process.exit(1);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Why node_modules has to be installed, or undefined. npm writes down what it installed in node_modules/.package-lock.json. */
function whyStale() {
  const wanted = readJson(join(root, "package-lock.json"));
  if (wanted === undefined)
    fail("npm packages", "package-lock.json cannot be read", "The checkout is incomplete: clone it again.");
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  if (installed === undefined) return "they are not installed yet";
  const changed = Object.entries(wanted.packages).find(
    ([path, entry]) => path !== "" && !entry.optional && installed.packages[path]?.version !== entry.version,
  );
  if (changed !== undefined) return `${changed[0].replace(/^.*node_modules\//, "")} differs from package-lock.json`;
  return canExecute(ownNode) ? undefined : "the node package has no executable";
}

function canExecute(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function install(reason) {
  process.stderr.write(
    `npm packages: ${reason}; npm installs them into node_modules (about ${expectedSeconds} s, once)\n`,
  );
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  // Not `ci`: it refuses a lock file without the packages of other systems, which not every registry has.
  const argv = [...npm, "install", "--no-save", "--include=dev", "--no-audit", "--no-fund", "--no-progress"];
  const started = Date.now();
  const child = spawn(argv[0], argv.slice(1), { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const ticker = setInterval(() => {
    process.stderr.write(`npm packages: ${Math.round((Date.now() - started) / 1000)} s\n`);
  }, 5_000);
  return new Promise((resolve) => {
    child.on("error", (error) =>
      fail("npm packages", `npm cannot be started (${error.message})`, "Install npm: on Debian it is the package npm."),
    );
    child.on("close", (code) => {
      clearInterval(ticker);
      if (code !== 0) {
        process.stderr.write(Buffer.concat(output));
        fail(
          "npm packages",
          `npm install ended with status ${code}`,
          "The lines above are npm's own; without a network it cannot work.",
        );
      }
      if (!canExecute(ownNode) || spawnSync(ownNode, ["--version"]).status !== 0) {
        const hint =
          "npm must be allowed to run the install script of the package node: npm config set ignore-scripts false.";
        fail("npm packages", `${ownNode} is not there or does not run`, hint);
      }
      const ms = Date.now() - started;
      process.stderr.write(`npm packages: installed in ${Math.round(ms / 1000)} s\n`);
      resolve(ms);
    });
  });
}

function run(file, args, spentMs) {
  const env = Object.assign({}, process.env, { CLOCHE_SETUP_NPM_MS: String(spentMs) });
  const child = spawn(ownNode, [join(root, file), ...args], { cwd: root, stdio: "inherit", env });
  // A terminal sends Ctrl-C to both; the child decides what comes of it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => signal === "SIGINT" || child.kill(signal));
  child.on("error", (error) => fail(file, error.message, "Remove node_modules and try again."));
  child.on("close", (code, signal) => process.exit(signal ? 128 + osConstants.signals[signal] : code));
}

const [file, ...args] = process.argv.slice(2);
if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  fail("start", `this is Node ${process.versions.node}`, `Node ${oldestNode} or newer is needed to set Cloche up.`);
}
if (process.platform !== "linux") fail("start", `this is ${process.platform}`, "Cloche runs on Linux.");
const reason = whyStale();
if (reason === undefined) run(file, args, 0);
else install(reason).then((ms) => run(file, args, ms));
