// Goal: the published package works, also where no script may run and no network is. Method: pack a
// copy of the sources; install the tarball into an empty project with `--ignore-scripts`, from a
// registry on loopback that has what this clone has installed; use it there as a newcomer does.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SQS } from "@aws-sdk/client-sqs";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { readServerFile } from "../../src/gateway/server-file.ts";
import { temporaryFolder } from "../gateway/support.ts";
import { startLocalRegistry } from "./local-registry.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const packed = ["bin", "src", "models", "scripts", "package.json", "README.md", "CHANGELOG.md"];
const alsoNeeded = ["LICENSE", "tsconfig.json", "tsconfig.build.json", ".npmrc"];

test("the tarball installs into an empty project, and all that it promises works", async (t) => {
  const folder = temporaryFolder(t);
  const registry = await startLocalRegistry(root, join(folder, "registry"));
  t.after(() => registry.close());
  const tarball = await pack(folder);
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{"name":"empty","private":true}');
  writeFileSync(
    join(project, ".npmrc"),
    `registry=${registry.url}\ncache=${join(folder, "cache")}\naudit=false\nfund=false\n`,
  );
  const install = (...names: string[]) =>
    run("npm", ["install", "--ignore-scripts", "--loglevel=error", ...names], project);
  await install(tarball);
  holdsWhatItShould(join(project, "node_modules/sealpost"), tarball);
  await carriesMessage(project);
  runsACommand(project);
  givesTestHelpers(project);
  demoNamesWhatToInstall(project);
  await install(...demoClients());
  showsTheDemo(project);
});

/** Packs a copy, so that other tests never see the manifest change. */
async function pack(folder: string): Promise<string> {
  const copy = join(folder, "copy");
  for (const name of [...packed, ...alsoNeeded]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  await run("npm", ["pack", "--loglevel=error", "--pack-destination", folder], copy);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball, "npm pack made a tarball");
  return join(folder, tarball);
}

async function carriesMessage(project: string): Promise<void> {
  const data = join(project, "data");
  const child = spawn(
    process.execPath,
    [sealpost(project), "serve", "--data", data, "--port", "0"],
    {
      cwd: project,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (text: Buffer) => {
        if (/is ready/.test(String(text))) resolve();
      });
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
    const server = readServerFile(data);
    const credentials = readCredentialsFile(data);
    assert.ok(server?.caFile && credentials);
    const ca = readFileSync(server.caFile, "utf8");
    const sqs = new SQS({
      endpoint: server.httpsUrl,
      region: server.region,
      credentials,
      requestHandler: { httpsAgent: new Agent({ ca }) },
    });
    const { QueueUrl } = await sqs.createQueue({ QueueName: "first" });
    await sqs.sendMessage({ QueueUrl, MessageBody: "from the package" });
    const { Messages } = await sqs.receiveMessage({ QueueUrl });
    assert.equal(Messages?.[0]?.Body, "from the package");
    sqs.destroy();
  } finally {
    child.kill("SIGTERM");
  }
  assert.equal(await ended, 0, "SIGTERM ends it cleanly");
}

/** Small, typed, without sources and tests, and nothing to run at the installation. */
function holdsWhatItShould(installed: string, tarball: string): void {
  assert.ok(statSync(tarball).size < 5_000_000, `${statSync(tarball).size} bytes`);
  const names = readdirSync(installed).filter((name) => name !== "node_modules");
  assert.deepEqual(names.sort(), [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "bin",
    "dist",
    "models",
    "package.json",
  ]);
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
  assert.deepEqual(
    files.filter((name) => /\.test\.|(?<!\.d)\.ts$|\.map$/.test(name)),
    [],
    "neither tests nor sources",
  );
  assert.ok(files.includes("dist/testing/index.d.ts"));
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.equal(manifest.scripts, undefined, "no install script");
  assert.equal(manifest.devDependencies, undefined);
  assert.deepEqual(Object.keys(manifest.exports["./testing"]), ["types", "default"]);
  assert.deepEqual(Object.keys(manifest.optionalDependencies), ["pkcs11js"], "no Node of its own");
}

const sealpost = (project: string) => join(project, "node_modules/.bin/sealpost");

/** Without standard input, and with what it said. */
function runNode(project: string, args: readonly string[]) {
  return spawnSync(process.execPath, args, {
    cwd: project,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function runsACommand(project: string): void {
  const args = ["run", "--", "sh", "-c", 'test -n "$AWS_ENDPOINT_URL" && exit 9'];
  const { status, stderr } = runNode(project, [sealpost(project), ...args]);
  assert.equal(status, 9, stderr);
}

function givesTestHelpers(project: string): void {
  const script = `
    import { startSealpost } from "sealpost/testing";
    await using server = await startSealpost();
    await server.clock.advance("5m");
    console.log((await server.undelivered()).length);`;
  const { stdout, stderr } = runNode(project, ["--input-type=module", "-e", script]);
  assert.equal(stdout, "0\n", stderr);
}

function demoNamesWhatToInstall(project: string): void {
  const { status, stderr } = runNode(project, [sealpost(project), "demo"]);
  assert.equal(status, 1);
  for (const client of demoClients()) {
    assert.ok(stderr.includes(client.slice(0, client.lastIndexOf("@"))), `${client}: ${stderr}`);
  }
}

function showsTheDemo(project: string): void {
  const { status, stdout, stderr } = runNode(project, [sealpost(project), "demo"]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Everything above was seen happening/);
}

function demoClients(): string[] {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return ["sns", "sqs", "kms", "iam", "cloudtrail"].map((name) => {
    const client = `@aws-sdk/client-${name}`;
    return `${client}@${devDependencies[client]}`;
  });
}

/** In the background: the registry is in this process. */
async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.on("data", (text: Buffer) => {
    err += text;
  });
  const [code] = await once(child, "close");
  assert.equal(code, 0, `${command} ${args.join(" ")}: ${err}`);
}
