// Goal: files of a trail reach a bucket behind an S3 endpoint in AWS's layout, so that the AWS
// command line validates them. Method: a small S3 server in memory that checks signatures with a
// second implementation; `aws cloudtrail validate-logs` where it is installed.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { type FakeS3, s3Credentials, startFakeS3 } from "./s3-fake.ts";
import { filesOf, verify } from "./scene.ts";

const bucket = "audit-bucket";
let s3: FakeS3;
let server: TestServer;
let startedAt: Date;

before(async () => {
  s3 = await startFakeS3([bucket]);
  server = await startTestServer({
    flags: { trailEndpoint: s3.url, deliveryAllow: ["127.0.0.0/8"], plainTrails: true },
    environment: {
      SEALPOST_TRAIL_ACCESS_KEY_ID: s3Credentials.accessKeyId,
      SEALPOST_TRAIL_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
    },
  });
});
after(async () => {
  await server.stop();
  s3.close();
});

const logs = () => [...s3.objects.keys()].filter((key) => key.includes("/CloudTrail/"));
const digests = () => [...s3.objects.keys()].filter((key) => key.includes("/CloudTrail-Digest/"));

test("a bucket must be there", async () => {
  const { cloudtrail } = server.rootClients;
  await assert.rejects(cloudtrail.createTrail({ Name: "main", S3BucketName: "no-such-bucket" }), {
    name: "S3BucketDoesNotExistException",
    message: "S3 bucket no-such-bucket does not exist!",
  });
});

test("files and digests arrive, with the signature as metadata", async () => {
  const { cloudtrail, sns } = server.rootClients;
  await cloudtrail.createTrail({
    Name: "main",
    S3BucketName: bucket,
    S3KeyPrefix: "some/prefix",
    EnableLogFileValidation: true,
  });
  startedAt = new Date();
  await cloudtrail.startLogging({ Name: "main" });
  for (const name of ["one", "two"]) {
    await sns.createTopic({ Name: name });
    await server.advance(1500);
  }
  await server.advance(3600);
  assert.ok(logs().length >= 2);
  assert.equal(digests().length, 1);
  assert.deepEqual(filesOf(server, "main"), []);
  const [log = ""] = logs();
  assert.match(log, /^audit-bucket\/some\/prefix\/AWSLogs\/123456789012\/CloudTrail\/us-east-1\//);
  const { Records } = JSON.parse(gunzipSync(s3.objects.get(log)?.body ?? "").toString());
  assert.equal(Records[0].eventName, "CreateTopic");
  const digest = s3.objects.get(digests()[0] ?? "");
  assert.match(digest?.metadata.signature ?? "", /^[0-9a-f]{512}$/);
  assert.equal(digest?.metadata["signature-algorithm"], "SHA256withRSA");
  const report = await verify(server);
  assert.deepEqual([report.code, report.err], [0, ""]);
});

test("a bucket that fails is tried again, and the status says so meanwhile", async () => {
  const { cloudtrail, sns } = server.rootClients;
  const count = logs().length;
  s3.failPuts = 500;
  await sns.createTopic({ Name: "three" });
  await server.advance(600);
  const failing = await cloudtrail.getTrailStatus({ Name: "main" });
  assert.equal(failing.LatestDeliveryError, "InternalError");
  assert.equal(failing.LatestDeliveryAttemptSucceeded, "");
  assert.equal(logs().length, count);
  s3.failPuts = undefined;
  await server.advance(600);
  const healed = await cloudtrail.getTrailStatus({ Name: "main" });
  assert.equal(healed.LatestDeliveryError, undefined);
  assert.ok(logs().length > count);
  await server.advance(3 * 3600);
});

const aws = spawnSync("aws", ["--version"]);
const skip = aws.error || aws.status !== 0 ? "the AWS command line is not installed" : false;

interface Run {
  readonly status: number | null;
  readonly out: string;
}

/** Two endpoints: the CLI takes them from the environment. Not blocking: both are in this process. */
async function validate(): Promise<Run> {
  const until = new Date(Date.now() + 12 * 3_600_000);
  const child = spawn(
    "aws",
    [
      ...["cloudtrail", "validate-logs", "--verbose"],
      ...["--trail-arn", "arn:aws:cloudtrail:us-east-1:123456789012:trail/main"],
      ...["--start-time", new Date(startedAt.getTime() - 60_000).toISOString()],
      ...["--end-time", until.toISOString()],
    ],
    {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: "/nonexistent",
        AWS_ACCESS_KEY_ID: server.root.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.root.secretAccessKey,
        AWS_REGION: "us-east-1",
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_ENDPOINT_URL_CLOUDTRAIL: server.httpsUrl,
        AWS_ENDPOINT_URL_S3: s3.url,
        AWS_CA_BUNDLE: `${server.dataFolder}/ca.pem`,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_PAGER: "",
      },
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, out: Buffer.concat(chunks).toString() };
}

test("aws cloudtrail validate-logs accepts the trail", { skip }, async () => {
  const { status, out } = await validate();
  assert.equal(status, 0, out);
  assert.match(out, new RegExp(`${digests().length}/${digests().length} digest files valid`));
  assert.match(out, new RegExp(`${logs().length}/${logs().length} log files valid`));
});

test("a changed, a removed and a forged file are named by both", { skip }, async () => {
  const [log = "", other = ""] = logs();
  const [, digest = ""] = digests();
  for (const name of [log, digest]) {
    const before = s3.objects.get(name);
    assert.ok(before);
    s3.objects.set(name, { ...before, body: s3.objects.get(other)?.body ?? Buffer.alloc(0) });
    await namedByBoth(name);
    s3.objects.delete(name);
    await namedByBoth(name);
    s3.objects.set(name, before);
  }
  assert.equal((await validate()).status, 0);
  assert.equal((await verify(server)).code, 0);
});

async function namedByBoth(name: string): Promise<void> {
  const theirs = await validate();
  assert.equal(theirs.status, 1);
  const lines = theirs.out.split("\n").filter((line) => line.includes("INVALID:"));
  assert.ok(
    lines.some((line) => line.includes(name)),
    theirs.out,
  );
  const ours = await verify(server);
  assert.equal(ours.code, 1);
  assert.ok(ours.out.includes(`s3://${name}\tINVALID`), ours.out);
}
