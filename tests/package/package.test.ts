// Goal: the published package works. Method: pack a copy of the sources, install the tarball into
// an empty project, start it there, and send and receive one message with the AWS SDK.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SQS } from "@aws-sdk/client-sqs";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { readServerFile } from "../../src/gateway/server-file.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const packed = ["bin", "src", "models", "scripts", "package.json", "README.md", "CHANGELOG.md"];
const alsoNeeded = ["LICENSE", "tsconfig.json", "tsconfig.build.json", ".npmrc"];

test("the tarball installs into an empty project, starts, and carries a message", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-package-"));
  try {
    const tarball = pack(folder);
    const project = installInto(folder, tarball);
    const manifest = JSON.parse(
      readFileSync(join(project, "node_modules/sealpost/package.json"), "utf8"),
    );
    const optional = Object.keys(manifest.optionalDependencies ?? {});
    assert.deepEqual(
      optional.filter((name) => /^node-/.test(name)),
      [],
      "no Node of its own",
    );
    assert.equal(existsSync(join(project, "node_modules/sealpost/src")), false);
    await carriesMessage(project);
    holdsWhatItShould(join(project, "node_modules/sealpost"), tarball);
    runsACommand(project);
    givesTestHelpers(project);
    showsTheDemo(project);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Packs a copy, so that other tests never see the manifest change. */
function pack(folder: string): string {
  const copy = join(folder, "copy");
  for (const name of [...packed, ...alsoNeeded]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  run("npm", ["pack", "--pack-destination", folder], copy);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball, "npm pack made a tarball");
  return join(folder, tarball);
}

function installInto(folder: string, tarball: string): string {
  const project = join(folder, "project");
  cpSync(join(root, ".npmrc"), join(project, ".npmrc"));
  writeFileSync(join(project, "package.json"), '{"name":"empty","private":true}');
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], project);
  return project;
}

async function carriesMessage(project: string): Promise<void> {
  const data = join(project, "data");
  const bin = join(project, "node_modules/.bin/sealpost");
  const child = spawn(process.execPath, [bin, "serve", "--data", data, "--port", "0"], {
    cwd: project,
    stdio: ["ignore", "pipe", "inherit"],
  });
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

/** Small, typed, without sources of tests, and nothing to run at the installation. */
function holdsWhatItShould(installed: string, tarball: string): void {
  assert.ok(statSync(tarball).size < 5_000_000, `${statSync(tarball).size} bytes`);
  const names = readdirSync(installed).filter((name) => name !== "node_modules");
  const expected = [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "bin",
    "dist",
    "models",
    "package.json",
  ];
  assert.deepEqual(names.sort(), expected);
  assert.ok(existsSync(join(installed, "dist/testing/index.d.ts")));
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.equal(manifest.scripts, undefined, "no install script");
  assert.deepEqual(Object.keys(manifest.exports["./testing"]), ["types", "default"]);
}

function runsACommand(project: string): void {
  const bin = join(project, "node_modules/.bin/sealpost");
  const args = [bin, "run", "--", "sh", "-c", 'test -n "$AWS_ENDPOINT_URL" && exit 9'];
  assert.equal(spawnSync(process.execPath, args, { cwd: project, stdio: "ignore" }).status, 9);
}

function givesTestHelpers(project: string): void {
  const script = `
    import { startSealpost } from "sealpost/testing";
    await using server = await startSealpost();
    await server.clock.advance("5m");
    console.log((await server.undelivered()).length);`;
  const args = ["--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" });
  assert.equal(stdout, "0\n", stderr);
}

/** Without the SDK clients it names what to install; with them it shows the clinic. */
function showsTheDemo(project: string): void {
  const bin = join(project, "node_modules/.bin/sealpost");
  const demo = () => spawnSync(process.execPath, [bin, "demo"], { cwd: project, encoding: "utf8" });
  const without = demo();
  assert.equal(without.status, 1);
  assert.match(without.stderr, /@aws-sdk\/client-/);
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const clients = ["sns", "sqs", "kms", "iam", "cloudtrail"].map((name) => {
    const client = `@aws-sdk/client-${name}`;
    return `${client}@${devDependencies[client]}`;
  });
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...clients], project);
  const { status, stdout, stderr } = demo();
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Everything above was seen happening/);
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}
