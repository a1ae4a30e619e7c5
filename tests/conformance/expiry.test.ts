// Goal: what is lent for a time ends with it: sessions and service credentials, for every operation
// and error form, and not a moment before.
// Method: for each test a server whose system clock can be moved; the SDK signs with the same time.
import { deepEqual, equal } from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type MovableClock, movableClock } from "../harness/movable-clock.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { sealpostJson } from "./accounts-scene.ts";
import { allow, credentialsOf, makeRole, policy, trusts } from "./sts-scene.ts";

let server: TestServer;
let systemClock: MovableClock;
beforeEach(async () => {
  systemClock = movableClock();
  server = await startTestServer({ systemClock });
});
afterEach(() => server.stop());

/** What a call answers: ok, or error code and status. */
async function outcome(call: Promise<unknown>): Promise<string> {
  const refused = await refusal(call);
  return refused ? `${refused.name} ${refused.status}` : "ok";
}

test("a role's session ends at its expiration, in the query and in the JSON protocol", async () => {
  const user = await server.createUser("ann", JSON.parse(policy(allow("sts:AssumeRole"))));
  const trust = [trusts({ AWS: user.arn })];
  const RoleArn = await makeRole(server.rootClients, "shift", trust, [allow("*")]);
  const { Credentials } = await user.clients.sts.assumeRole({
    RoleArn,
    RoleSessionName: "s1",
    DurationSeconds: 900,
  });
  const lifeMs = (Credentials?.Expiration?.getTime() ?? 0) - Date.now() - systemClock.offsetMs;
  equal(Math.round(lifeMs / 60_000), 15);
  const calls = async () => {
    const { sqs, sns, kms, sts } = server.clients(credentialsOf(Credentials));
    return [
      await outcome(sts.getCallerIdentity({})),
      await outcome(sns.listTopics({})),
      await outcome(sqs.listQueues({})),
      await outcome(kms.listKeys({})),
    ];
  };
  systemClock.move(840);
  deepEqual(await calls(), ["ok", "ok", "ok", "ok"]);
  systemClock.move(120);
  deepEqual(await calls(), [
    "ExpiredToken 403",
    "ExpiredToken 403",
    "ExpiredToken 400",
    "ExpiredTokenException 400",
  ]);
  equal(await outcome(server.clients(user).sts.getCallerIdentity({})), "ok", "the user goes on");
});

test("GetSessionToken and GetFederationToken end as well", async () => {
  const user = await server.createUser("bea", JSON.parse(policy(allow("*"))));
  const { sts } = server.clients(user);
  const own = await sts.getSessionToken({ DurationSeconds: 900 });
  const federated = await sts.getFederationToken({
    Name: "guest",
    Policy: policy(allow("sqs:*")),
    DurationSeconds: 900,
  });
  const list = async () => {
    const both = [own, federated].map(({ Credentials }) => credentialsOf(Credentials));
    return Promise.all(both.map((one) => outcome(server.clients(one).sqs.listQueues({}))));
  };
  systemClock.move(840);
  deepEqual(await list(), ["ok", "ok"]);
  systemClock.move(120);
  deepEqual(await list(), ["ExpiredToken 400", "ExpiredToken 400"]);
});

test("a service credential ends at its expiry, one without it does not", async () => {
  const { sns } = server.clients(server.root);
  const { TopicArn = "" } = await sns.createTopic({ Name: "scans" });
  const AttributeValue = policy({
    ...allow("sns:Publish", TopicArn),
    Principal: { Service: "s3.amazonaws.com" },
  });
  await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue });
  const create = async (...more: readonly string[]) => {
    const argv = ["service-credential", "create", "s3.amazonaws.com", ...more];
    const { accessKeyId = "", secretAccessKey = "" } = await sealpostJson(server, ...argv);
    const credentials = { accessKeyId, secretAccessKey };
    return () => outcome(server.clients(credentials).sns.publish({ TopicArn, Message: "m" }));
  };
  const timed = await create("--expires", "1h");
  const endless = await create();
  systemClock.move(3540);
  deepEqual([await timed(), await endless()], ["ok", "ok"]);
  systemClock.move(120);
  deepEqual([await timed(), await endless()], ["InvalidClientTokenId 403", "ok"]);
});
