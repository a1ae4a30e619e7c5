// Goal: the policy file of a private endpoint is refused at the start where it is none, with the
// place that is wrong; where it is one, it binds what comes from outside and nothing behind that.
// Method: servers started with files of each kind; the SDK through the endpoint.
import { equal, match, ok } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readSettings } from "../../src/cli/settings.ts";
import { startServer } from "../../src/main.ts";
import { refusal, startTestServer } from "../harness/server.ts";
import { allow, policy } from "./sts-scene.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "sealpost-endpoint-policy-"));
});
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(text: string): string {
  const file = join(folder, `${files++}.json`);
  writeFileSync(file, text);
  return file;
}

/** What a start with this policy file is refused with; undefined: it starts. */
async function refusedStart(file: string): Promise<string | undefined> {
  const flags = {
    data: join(folder, "data"),
    port: 0,
    clock: "virtual",
    logLevel: "error",
    vpcEndpoint: [`vpce-1=127.0.0.1:0,policy=${file}`],
  };
  const settings = readSettings({
    flags,
    environment: {},
    fileText: undefined,
    workingDirectory: folder,
  });
  try {
    const running = await startServer(settings);
    await running.stop();
    return undefined;
  } catch (error) {
    ok(error instanceof Error);
    equal(error.name, "StartError");
    return error.message;
  }
}

const everybody = { ...allow("sns:*"), Principal: "*" };

test("a malformed policy file is refused with the place that is wrong; a right one starts", async () => {
  const bad: readonly (readonly [text: string, message: RegExp])[] = [
    ['{"Version": "2012-10-17",\n "Statement": [}', /in .*\.json: line 2, column 16: /],
    [policy(allow("sns:*")), /in .*\.json: Statement\[0\]: the statement must name a principal/],
    [policy(everybody, { ...everybody, Effect: "allow" }), /in .*\.json: Statement\[1\]\.Effect: /],
    [
      policy({ ...everybody, Condition: { StringEqual: { "aws:SourceVpc": "vpc-1" } } }),
      /in .*\.json: Statement\[0\]\.Condition\.StringEqual\.aws:SourceVpc: is no condition operator/,
    ],
    [
      policy({ ...everybody, Condition: { IpAddress: { "aws:VpcSourceIp": "10.0.0.0/99" } } }),
      /Condition\.IpAddress\.aws:VpcSourceIp: `10\.0\.0\.0\/99` is not an IP address or CIDR/,
    ],
    [
      policy({ ...everybody, Principal: { AWS: "arn:aws:iam::123456789012:user/ghost" } }),
      /^policy of vpce-1: there is no arn:aws:iam::123456789012:user\/ghost$/,
    ],
  ];
  for (const [text, message] of bad) {
    const refused = (await refusedStart(fileOf(text))) ?? "it started";
    match(refused, /^policy of vpce-1/);
    match(refused, message);
  }
  const missing = (await refusedStart(join(folder, "none.json"))) ?? "it started";
  match(missing, /^policy of vpce-1 cannot be read: ENOENT/);
  equal(await refusedStart(fileOf(policy(everybody))), undefined);
});

test("the policy binds the call from outside, not the use of keys and queues behind it", async () => {
  const file = fileOf(policy({ ...everybody, Action: "sns:Publish" }));
  const server = await startTestServer({
    flags: { vpcEndpoint: [`vpce-1=127.0.0.1:0,policy=${file}`] },
  });
  try {
    const { sns, sqs, kms } = server.rootClients;
    const { KeyMetadata } = await kms.createKey({});
    const keyArn = KeyMetadata?.Arn ?? "";
    const root = { AWS: `arn:aws:iam::${server.accountId}:root` };
    const forSns = {
      ...allow(["kms:GenerateDataKey", "kms:Decrypt"]),
      Principal: { Service: "sns.amazonaws.com" },
    };
    const Policy = policy({ ...allow("kms:*"), Principal: root }, forSns);
    await kms.putKeyPolicy({ KeyId: keyArn, PolicyName: "default", Policy });
    const Attributes = { KmsMasterKeyId: keyArn };
    const { TopicArn = "" } = await sns.createTopic({ Name: "records", Attributes });
    const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "records", Attributes });
    const Endpoint = `arn:aws:sqs:${server.region}:${server.accountId}:records`;
    const queuePolicy = policy({
      ...allow("sqs:SendMessage", Endpoint),
      Principal: { Service: "sns.amazonaws.com" },
      Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
    });
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: queuePolicy } });
    await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint });
    const [endpoint] = server.endpoints;
    const inside = server.clients(server.root, { endpoint: endpoint?.httpsUrl ?? "" });
    await inside.sns.publish({ TopicArn, Message: "through the endpoint" });
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 });
    equal(JSON.parse(Messages[0]?.Body ?? "{}").Message, "through the endpoint");
    const denied = [
      () => inside.kms.generateDataKey({ KeyId: keyArn, KeySpec: "AES_256" }),
      () => inside.sqs.sendMessage({ QueueUrl, MessageBody: "m" }),
      () => inside.sns.listTopics({}),
    ];
    for (const call of denied) {
      match((await refusal(call()))?.message ?? "", /because no VPC endpoint policy allows/);
    }
  } finally {
    await server.stop();
  }
});
