// Goal: `sealpost/testing` gives a test a whole server that is gone afterwards. Method: start real
// ones, use them with the AWS SDK, and look for what stays: processes, folders, an unended test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Agent } from "node:https";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { type Sealpost, startSealpost } from "../../src/testing/index.ts";

const entry = new URL("../../src/testing/index.ts", import.meta.url).href;

function clientOf(server: Sealpost): SQS {
  const { endpoint, region, credentials, ca } = server;
  const requestHandler = { httpsAgent: new Agent({ ca }) };
  return new SQS({ endpoint, region, credentials, requestHandler, maxAttempts: 1 });
}

test("servers side by side share nothing, and go with their folders", async () => {
  const servers = await Promise.all([
    startSealpost(),
    startSealpost({ accountId: "210987654321" }),
  ]);
  const [first, second] = servers.map(clientOf);
  await first?.createQueue({ QueueName: "orders" });
  const { QueueUrls = [] } = (await second?.listQueues({})) ?? {};
  assert.deepEqual(QueueUrls, []);
  assert.equal(servers[1]?.accountId, "210987654321");
  assert.notEqual(servers[0]?.endpoint, servers[1]?.endpoint);
  const folders = servers.map(({ caFile }) => dirname(caFile));
  assert.ok(folders.every((folder) => existsSync(folder)));
  await Promise.all(servers.map((server) => server.stop()));
  assert.deepEqual(folders.filter(existsSync), []);
});

test("await using stops the server at the end of the block", async () => {
  let caFile: string;
  {
    await using server = await startSealpost({ region: "eu-west-1" });
    ({ caFile } = server);
    assert.equal(server.env.AWS_REGION, "eu-west-1");
    assert.equal(server.env.AWS_ENDPOINT_URL, server.endpoint);
    assert.equal(server.env.AWS_SECRET_ACCESS_KEY, server.credentials.secretAccessKey);
    assert.ok(existsSync(caFile));
  }
  assert.equal(existsSync(dirname(caFile)), false);
});

test("the test moves the time: a delayed message comes when it is due", async () => {
  await using server = await startSealpost();
  const sqs = clientOf(server);
  const { QueueUrl } = await sqs.createQueue({ QueueName: "later" });
  await sqs.sendMessage({ QueueUrl, MessageBody: "in five minutes", DelaySeconds: 300 });
  assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages, undefined);
  const before = await server.clock.now();
  const after = await server.clock.advance("5m");
  assert.ok(after.getTime() - before.getTime() >= 300_000);
  const { Messages } = await sqs.receiveMessage({ QueueUrl });
  assert.equal(Messages?.[0]?.Body, "in five minutes");
});

test("a server of the machine's time refuses to be moved, with the reason", async () => {
  await using server = await startSealpost({ clock: "system" });
  await assert.rejects(server.clock.advance(60), /virtual/);
});

test("what did not arrive is told with its reason", async () => {
  await using server = await startSealpost();
  const sqs = clientOf(server);
  const { endpoint, region, credentials, ca } = server;
  const requestHandler = { httpsAgent: new Agent({ ca }) };
  const sns = new SNS({ endpoint, region, credentials, requestHandler });
  const { TopicArn } = await sns.createTopic({ Name: "events" });
  const { QueueUrl } = await sqs.createQueue({ QueueName: "closed" });
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["QueueArn"] });
  const Endpoint = Attributes?.QueueArn;
  await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint });
  assert.deepEqual(await server.undelivered(), []);
  await sns.publish({ TopicArn, Message: "lost on its way" });
  const [lost] = await server.undelivered();
  assert.equal(lost?.topicArn, TopicArn);
  assert.match(lost?.failureText ?? "", /sqs:SendMessage/i);
  const path = await server.doctor({ topic: String(TopicArn) });
  assert.equal(path.allowed, false);
  const denied = path.hops.find((hop) => !hop.allowed);
  assert.match(denied?.action ?? "", /sqs:SendMessage/i);
  assert.ok(denied?.missing?.statement, "and says what is missing");
});

test("a server that cannot start says why", async () => {
  await assert.rejects(startSealpost({ accountId: "12" }), /account id of 12 digits/);
  await assert.rejects(startSealpost({ flags: { nothing: true } }), /`nothing` is not a setting/);
});

test("trust() lets fetch of this process reach the server", async () => {
  const script = `
    import { startSealpost } from ${JSON.stringify(entry)};
    await using server = await startSealpost();
    const health = () => fetch(server.endpoint + "/_sealpost/health").then((r) => r.status);
    const before = await health().catch(() => "refused");
    server.trust();
    console.log(before, await health());`;
  const { stdout, stderr } = runScript(script);
  assert.equal(stdout, "refused 200\n", stderr);
});

test("a test that forgets its server ends all the same, and the server with it", async () => {
  const script = `
    import { startSealpost } from ${JSON.stringify(entry)};
    const { caFile, env } = await startSealpost();
    console.log(caFile);`;
  const { stdout, status } = runScript(script);
  assert.equal(status, 0);
  // The server notices the end of its parent by itself.
  await waitUntil(() => !existsSync(dirname(stdout.trim())));
});

test("it starts in less than a second, where an empty Node starts in a twentieth of it", async () => {
  const times: number[] = [];
  let quick = false;
  // One quick start is enough: the machine may be busy with other tests.
  while (!quick && times.length < 10) {
    const limitMs = Math.max(1_000, 20 * emptyNodeMs());
    const start = performance.now();
    await using _server = await startSealpost();
    times.push(performance.now() - start);
    quick = (times.at(-1) ?? limitMs) < limitMs;
  }
  assert.ok(quick, `${times.map(Math.round)} ms`);
});

function emptyNodeMs(): number {
  const start = performance.now();
  spawnSync(process.execPath, ["-e", ""]);
  return performance.now() - start;
}

function runScript(script: string) {
  const args = ["--input-type=module", "-e", script];
  return spawnSync(process.execPath, args, { encoding: "utf8", cwd: fileURLToPath(root) });
}

const root = new URL("../..", import.meta.url);

async function waitUntil(holds: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    assert.ok(performance.now() < end, "it never came true");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
