// Goal: projects made for LocalStack run as they are, with real credentials behind it. Method: the
// real command with --preset localstack; shell scripts in the manner of public tutorials, run by
// `--init` and from outside; requests as such projects send them.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";
import { readSettings } from "../../src/cli/settings.ts";
import { temporaryFolder } from "../gateway/support.ts";

const bin = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));
const scripts = fileURLToPath(new URL("scripts", import.meta.url));
const hasAwsCli = spawnSync("aws", ["--version"], { stdio: "ignore" }).status === 0;
const needsCli = { skip: !hasAwsCli && "no AWS CLI here" };

interface Preset {
  readonly url: string;
  readonly child: ChildProcess;
  readonly temporary: string;
  out(): string;
  err(): string;
  ended: Promise<number | null>;
}

/** Starts the server and waits for its line `Ready.`, or for its end. */
async function startPreset(t: TestContext, ...flags: string[]): Promise<Preset> {
  const temporary = temporaryFolder(t);
  const args = [bin, "serve", "--preset", "localstack", "--port", "0", ...flags];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: temporaryFolder(t),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: temporary },
  });
  let out = "";
  let err = "";
  const ended = once(child, "close").then(([code]) => code as number | null);
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      out += text;
      if (/^Ready\.$/m.test(out)) resolve();
    });
    child.stderr.on("data", (text: Buffer) => {
      err += text;
    });
    void ended.then(() => resolve());
  });
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const url = /HTTP +(http:\S+)/.exec(out)?.[1] ?? "";
  return { url, child, temporary, ended, out: () => out, err: () => err };
}

function clientSettings({ url }: Preset, accessKeyId: string, secretAccessKey = "test") {
  const credentials = { accessKeyId, secretAccessKey };
  return { endpoint: url, region: "us-east-1", credentials, maxAttempts: 1 };
}

test("a fresh folder for each start, gone after it; --data is kept", async (t) => {
  const server = await startPreset(t);
  const folders = () => readdirSync(server.temporary).filter((name) => name.startsWith("sealpost"));
  assert.equal(folders().length, 1);
  assert.match(server.err(), /--preset localstack: for tests only/);
  assert.match(server.err(), /--allow-insecure-sse/);
  server.child.kill("SIGTERM");
  assert.equal(await server.ended, 0);
  assert.deepEqual(folders(), []);

  const data = join(temporaryFolder(t), "kept");
  const kept = await startPreset(t, "--data", data);
  kept.child.kill("SIGTERM");
  await kept.ended;
  assert.ok(existsSync(join(data, "sealpost.db")));
  // Everybody knows its root credentials: it never becomes an ordinary server.
  const ordinary = spawnSync(process.execPath, [bin, "serve", "--data", data, "--port", "0"], {
    encoding: "utf8",
    cwd: dirname(data),
    env: { PATH: process.env.PATH, SEALPOST_ACCOUNT: "000000000000" },
  });
  assert.equal(ordinary.status, 1);
  assert.match(ordinary.stderr, /everybody knows the root credentials/);
});

test("test/test and the digits of an account are root, with signatures verified", async (t) => {
  const server = await startPreset(t);
  const arnOf = async (accessKeyId: string, secret?: string) => {
    const sts = new STS(clientSettings(server, accessKeyId, secret));
    return (await sts.getCallerIdentity({})).Arn;
  };
  assert.equal(await arnOf("test"), "arn:aws:iam::000000000000:root");
  assert.equal(await arnOf("000000000000"), "arn:aws:iam::000000000000:root");
  assert.equal(await arnOf("111122223333"), "arn:aws:iam::111122223333:root");
  await assert.rejects(arnOf("test", "wrong"), /secret of the access key `test` is `test`/);
  await assert.rejects(arnOf("111122223333", "wrong"), /does verify signatures/);
  await assert.rejects(arnOf("mock"), /use the access key `test` with the secret `test`/);
  const many = Array.from({ length: 8 }, () => arnOf("444455556666"));
  assert.equal(new Set(await Promise.all(many)).size, 1, "first uses at one time");
});

test("health and hosts as scripts ask for them", async (t) => {
  const server = await startPreset(t);
  const text = async (path: string) => (await fetch(server.url + path)).text();
  assert.match(await text("/_localstack/health"), /"sqs": "available"/);
  assert.match(await text("/health"), /"sns": "available"/);
  const { port } = new URL(server.url);
  const host = `sqs.us-east-1.localhost.localstack.cloud:${port}`;
  const sqs = new SQS(clientSettings(server, "test"));
  sqs.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers.host = host;
      return next(args);
    },
    { step: "build" },
  );
  const { QueueUrl } = await sqs.createQueue({ QueueName: "orders" });
  assert.equal(QueueUrl, `http://${host}/000000000000/orders`);
  assert.match(await text("/_localstack/health"), /"sqs": "running"/);
  assert.equal((await fetch(`${server.url}/_localstack/nothing`)).status, 404);
});

test("queue paths of every form name the queue for the query protocol", async (t) => {
  const server = await startPreset(t);
  const sqs = new SQS(clientSettings(server, "test"));
  await sqs.createQueue({
    QueueName: "open",
    Attributes: {
      Policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" },
      }),
    },
  });
  for (const path of ["/000000000000/open", "/queue/us-east-1/000000000000/open"]) {
    const answer = await fetch(`${server.url}${path}?Action=SendMessage&MessageBody=hello`);
    assert.equal(answer.status, 200, await answer.text());
  }
});

test("init scripts run in order; the failing one is named, the others still run", async (t) => {
  const folder = temporaryFolder(t);
  const write = (name: string, text: string, mode = 0o755) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), mode);
  };
  write("10-first.sh", "echo first $AWS_ENDPOINT_URL");
  write("20-fails.sh", "exit 3");
  write("30-last.sh", "echo last");
  write("deeper/01.sh", "echo deeper");
  write("forgotten.sh", "echo never", 0o644);
  write("notes.txt", "not a script", 0o644);
  const server = await startPreset(t, "--init", folder);
  assert.match(server.out(), new RegExp(`first ${server.url}\\nlast\\ndeeper\\nReady\\.`));
  assert.match(server.err(), /init 2\/4: 20-fails\.sh FAILED: exit code 3/);
  assert.match(server.err(), /forgotten\.sh is not executable: chmod \+x/);
  assert.doesNotMatch(server.err(), /notes\.txt/);
  const ready = await (await fetch(`${server.url}/_localstack/init/ready`)).json();
  assert.deepEqual(ready, {
    completed: true,
    scripts: [
      { stage: "READY", name: "10-first.sh", state: "SUCCESSFUL" },
      { stage: "READY", name: "20-fails.sh", state: "ERROR" },
      { stage: "READY", name: "30-last.sh", state: "SUCCESSFUL" },
      { stage: "READY", name: "deeper/01.sh", state: "SUCCESSFUL" },
    ],
  });
});

test("a stop during a script ends the script and the server", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "long.sh"), "#!/bin/sh\necho Ready.\nexec sleep 600\n");
  chmodSync(join(folder, "long.sh"), 0o755);
  const server = await startPreset(t, "--init", folder);
  server.child.kill("SIGTERM");
  assert.equal(await server.ended, 0);
});

test("an --init folder that is not there ends the start, named", async (t) => {
  const server = await startPreset(t, "--init", "/nonexistent-init");
  assert.equal(await server.ended, 1);
  assert.match(server.err(), /nonexistent-init/);
});

test("scripts in the manner of tutorials run as they are, as init scripts", needsCli, async (t) => {
  const server = await startPreset(t, "--init", scripts);
  for (const name of ["sqs", "sns", "kms", "encrypted", "accounts"]) {
    assert.match(server.out(), new RegExp(`^${name}: ok$`, "m"), server.err());
  }
  assert.doesNotMatch(server.err(), /FAILED/);
});

test("and from outside, with the usual awslocal", needsCli, async (t) => {
  const server = await startPreset(t);
  const folder = temporaryFolder(t);
  // What the Python package of that name does.
  const awslocal = `#!/bin/sh
export AWS_ACCESS_KEY_ID=\${AWS_ACCESS_KEY_ID:-test} AWS_SECRET_ACCESS_KEY=test
export AWS_DEFAULT_REGION=us-east-1
exec aws --endpoint-url=${server.url} "$@"\n`;
  writeFileSync(join(folder, "awslocal"), awslocal, { mode: 0o755 });
  for (const name of ["03-kms.sh", "05-accounts.sh"]) {
    const env = { HOME: folder, PATH: `${folder}:${process.env.PATH}` };
    const { stdout } = await promisify(execFile)(join(scripts, name), { cwd: folder, env });
    assert.match(stdout, /: ok\n$/);
  }
});

test("the preset stays on loopback, or in a container", () => {
  const read = (flags: Record<string, unknown>, inContainer: boolean) =>
    readSettings({ flags, workingDirectory: "/", inContainer, freshFolder: () => "/fresh" });
  const open = { preset: "localstack", host: "0.0.0.0" };
  assert.throws(() => read(open, false), /loopback --host, or a container/);
  const contained = read(open, true);
  assert.equal(contained.allowInsecureSecrets, true, "its peers are other machines");
  assert.equal(contained.data, "/fresh");
  const own = read({ preset: "localstack" }, false);
  assert.equal(own.allowInsecureSecrets, false, "on loopback nothing has to be relaxed");
  assert.equal(own.account, "000000000000");
  assert.equal(
    read({ preset: "localstack", account: "1".repeat(12) }, false).account,
    "1".repeat(12),
  );
  assert.throws(
    () =>
      readSettings({
        flags: { preset: "localstack" },
        environment: {
          SEALPOST_ROOT_ACCESS_KEY_ID: "AKIAAAAAAAAAAAAAAAAA",
          SEALPOST_ROOT_SECRET_ACCESS_KEY: "a-secret-of-some-length",
        },
        workingDirectory: "/",
      }),
    /brings its own root credentials/,
  );
});
