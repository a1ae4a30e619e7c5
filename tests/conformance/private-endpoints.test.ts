// Goal: what comes through a private endpoint is known by its socket: the condition keys are there,
// the endpoint's policy limits, and nobody else can claim to have come that way.
// Method: a server with two endpoints beside the public port; the SDK on each of them.
import { deepEqual, equal, match } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readSettings } from "../../src/cli/settings.ts";
import { parseEndpoint } from "../../src/config-endpoints.ts";
import { startServer } from "../../src/main.ts";
import { refusal, startTestServer, type TestClients, type TestServer } from "../harness/server.ts";
import { allow, policy } from "./sts-scene.ts";

const folder = mkdtempSync(join(tmpdir(), "sealpost-endpoint-"));
const policyFile = join(folder, "endpoint.json");
let server: TestServer;
let urls: Record<string, string>;
before(async () => {
  const onlyRead = { ...allow(["sqs:ListQueues", "sns:Publish", "iam:*"]), Principal: "*" };
  writeFileSync(policyFile, policy(onlyRead));
  server = await startTestServer({
    flags: {
      vpcEndpoint: ["vpce-1=127.0.0.1:0,vpc=vpc-9", `vpce-2=127.0.0.1:0,policy=${policyFile}`],
    },
  });
  const file = JSON.parse(readFileSync(join(server.dataFolder, "server.json"), "utf8"));
  const list = file.endpoints as { endpointId: string; httpsUrl: string }[];
  urls = Object.fromEntries(list.map(({ endpointId, httpsUrl }) => [endpointId, httpsUrl]));
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const through = (name: string, who = server.root): TestClients =>
  server.clients(who, { endpoint: urls[name] ?? "" });

test("publish only through my private endpoint", async () => {
  const user = await server.createUser("ann", JSON.parse(policy(allow("sns:*"))));
  const { sns } = server.rootClients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "inside" });
  const deny = {
    ...allow("sns:Publish", TopicArn),
    Effect: "Deny",
    Principal: "*",
    Condition: { StringNotEquals: { "aws:SourceVpce": "vpce-1" } },
  };
  const AttributeValue = policy(deny);
  await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue });
  const publish = (clients: TestClients) => clients.sns.publish({ TopicArn, Message: "m" });
  await publish(through("vpce-1", user));
  for (const clients of [user.clients, through("vpce-2", user)]) {
    const denied = await refusal(publish(clients));
    match(denied?.message ?? "", /with an explicit deny in a resource-based policy/);
  }
  const claimed = await server.send({
    service: "sns",
    ...user,
    headers: { "content-type": "application/x-www-form-urlencoded", "x-vpce-id": "vpce-1" },
    body: new URLSearchParams({
      Action: "Publish",
      Version: "2010-03-31",
      TopicArn,
      Message: "m",
    }).toString(),
  });
  equal(claimed.status, 403, "a header says nothing");
});

test("the keys of an endpoint: its id, its VPC, and no aws:SourceIp", async () => {
  const allowed = async (condition: object, clients: (who: never) => TestClients) => {
    const name = `u${Math.trunc(performance.now() * 1000)}`;
    const user = await server.createUser(name, {
      Version: "2012-10-17",
      Statement: [{ ...allow("sqs:ListQueues"), Condition: condition }],
    });
    return (await refusal(clients(user as never).sqs.listQueues({}))) === undefined;
  };
  const private1 = (who: never) => through("vpce-1", who);
  const direct = (who: never) => server.clients(who);
  const vpc = { StringEquals: { "aws:SourceVpc": "vpc-9" } };
  deepEqual([await allowed(vpc, private1), await allowed(vpc, direct)], [true, false]);
  const noIp = { Null: { "aws:SourceIp": "true" } };
  deepEqual([await allowed(noIp, private1), await allowed(noIp, direct)], [true, false]);
  const inner = { IpAddress: { "aws:VpcSourceIp": "127.0.0.0/8" } };
  deepEqual([await allowed(inner, private1), await allowed(inner, direct)], [true, false]);
});

test("an endpoint's policy limits everybody who comes through it, root as well", async () => {
  const clients = through("vpce-2");
  await clients.sqs.listQueues({});
  await clients.iam.listUsers({});
  const denied = await refusal(clients.sqs.createQueue({ QueueName: "q" }));
  match(denied?.message ?? "", /because no VPC endpoint policy allows the sqs:createqueue action/);
  await through("vpce-1").sqs.createQueue({ QueueName: "q" });
});

test("data keys are not shared between an endpoint and the public way", async () => {
  const { sqs, kms, cloudtrail } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const Attributes = { KmsMasterKeyId: KeyMetadata?.KeyId ?? "" };
  const { QueueUrl } = await sqs.createQueue({ QueueName: "sealed", Attributes });
  const made = async () => {
    const { Events = [] } = await cloudtrail.lookupEvents({
      LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "GenerateDataKey" }],
    });
    return Events.length;
  };
  const send = (clients: TestClients) => clients.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
  await send(server.rootClients);
  await send(server.rootClients);
  equal(await made(), 1);
  await send(through("vpce-1"));
  equal(await made(), 2);
});

test("--no-public leaves only the private endpoints", async () => {
  const own = join(folder, "private");
  const flags = { data: own, port: 0, clock: "virtual", logLevel: "error", noPublic: true };
  const read = (more: object) =>
    readSettings({
      flags: { ...flags, ...more },
      environment: {},
      fileText: undefined,
      workingDirectory: folder,
    });
  const running = await startServer(read({ vpcEndpoint: ["vpce-1=127.0.0.1:0"] }));
  equal(running.endpoints.length, 1);
  equal(running.httpsUrl, running.endpoints[0]?.httpsUrl);
  await running.stop();
  let message = "";
  try {
    read({});
  } catch (error) {
    message = (error as Error).message;
  }
  equal(message, "--no-public needs a --vpc-endpoint to listen on");
});

test("malformed endpoints are refused with the reason", () => {
  const wrong = (text: string) => {
    try {
      parseEndpoint(text);
      return "accepted";
    } catch (error) {
      return (error as Error).message;
    }
  };
  match(wrong("vpce-1"), /must look like vpce-ID=HOST:PORT/);
  match(wrong("vpc-1=localhost:1"), /must look like/);
  equal(wrong("vpce-1=localhost:70000"), "70000 is no port");
  match(wrong("vpce-1=localhost:1,color=red"), /neither policy=FILE nor vpc=vpc-ID/);
  match(wrong("vpce-1=localhost:1,vpc=x"), /no VPC id/);
  equal(wrong("vpce-1=localhost:1,vpc=vpc-1,vpc=vpc-2"), "vpc is given twice");
  deepEqual(parseEndpoint("vpce-1=[::1]:4567,policy=/x/y.json"), {
    endpointId: "vpce-1",
    host: "::1",
    port: 4567,
    policyFile: "/x/y.json",
    vpcId: undefined,
  });
});
