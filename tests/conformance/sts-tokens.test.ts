// Goal: GetSessionToken, GetFederationToken and DecodeAuthorizationMessage do what the sheet says.
// Method: one server, the SDK.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { allow, assume, credentialsOf, makeRole, policy, trusts } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const everything = { Version: "2012-10-17", Statement: [allow("*")] };

test("a session token is the same user, but for IAM and most of STS", async () => {
  const user = await server.createUser("ann", everything);
  const { Credentials } = await user.clients.sts.getSessionToken({ DurationSeconds: 900 });
  const session = server.clients(credentialsOf(Credentials));
  equal((await session.sts.getCallerIdentity({})).Arn, user.arn);
  await session.sqs.createQueue({ QueueName: "ann" });
  const toIam = await refusal(session.iam.listUsers({}));
  deepEqual([toIam?.name, toIam?.status], ["InvalidClientTokenId", 403]);
  const again = await refusal(session.sts.getSessionToken({}));
  equal(again?.message, "Cannot call GetSessionToken with session credentials");
  const account = { AWS: `arn:aws:iam::${server.accountId}:root` };
  const RoleArn = await makeRole(server.rootClients, "r", [trusts(account)], [allow("*")]);
  await assume(server, session.sts, { RoleArn });
  await server.rootClients.iam.deleteUserPolicy({ UserName: "ann", PolicyName: "test" });
  equal((await refusal(session.sqs.listQueues({})))?.name, "AccessDenied", "rights follow at once");
});

test("a federated user has what its session policy and its parent both allow", async () => {
  const user = await server.createUser("bea", {
    Version: "2012-10-17",
    Statement: [allow(["sts:GetFederationToken", "sqs:*"])],
  });
  const federate = async (Policy?: string) => {
    const answer = await user.clients.sts.getFederationToken({ Name: "kiosk", Policy });
    return { ...answer, clients: server.clients(credentialsOf(answer.Credentials)) };
  };
  const one = await federate(policy(allow(["sqs:ListQueues", "sns:*"])));
  deepEqual(one.FederatedUser, {
    FederatedUserId: `${server.accountId}:kiosk`,
    Arn: `arn:aws:sts::${server.accountId}:federated-user/kiosk`,
  });
  await one.clients.sqs.listQueues({});
  const more = await refusal(one.clients.sqs.createQueue({ QueueName: "no" }));
  match(more?.message ?? "", /federated-user\/kiosk .* because no session policy allows/);
  equal((await refusal(one.clients.sns.listTopics({})))?.name, "AuthorizationErrorException");
  const bare = await federate();
  const none = await refusal(bare.clients.sqs.listQueues({}));
  match(none?.message ?? "", /because no session policy allows/, "without a policy it has nothing");
  const chained = await refusal(one.clients.sts.getFederationToken({ Name: "again" }));
  equal(chained?.name, "AccessDenied");
});

test("what is too much for a token is refused", async () => {
  const user = await server.createUser("cleo", everything);
  const Tags = Array.from({ length: 50 }, (_, index) => ({
    Key: `${index}-${crypto.randomUUID()}`,
    Value: Array.from({ length: 6 }, () => crypto.randomUUID()).join("-"),
  }));
  const large = await refusal(user.clients.sts.getFederationToken({ Name: "big", Tags }));
  deepEqual([large?.name, large?.status], ["PackedPolicyTooLargeException", 400]);
  match(large?.message ?? "", /^Packed policy consumes \d+% of allotted space/);
  const few = await user.clients.sts.getFederationToken({ Name: "big", Tags: Tags.slice(0, 3) });
  const session = server.clients(credentialsOf(few.Credentials));
  equal((await session.sts.getCallerIdentity({})).UserId, `${server.accountId}:big`);
  equal((few.PackedPolicySize ?? 0) > 0, true);
});

test("a denial carries a message that only those who may can read", async () => {
  const user = await server.createUser("dora", {
    Version: "2012-10-17",
    Statement: [{ Sid: "NoQueues", Effect: "Deny", Action: "sqs:*", Resource: "*" }],
  });
  const answer = await server.send({
    service: "sqs",
    accessKeyId: user.accessKeyId,
    secretAccessKey: user.secretAccessKey,
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.ListQueues",
    },
    body: "{}",
  });
  const EncodedMessage = String(answer.headers["x-sealpost-authorization-message"]);
  const read = (clients = server.rootClients) =>
    clients.sts.decodeAuthorizationMessage({ EncodedMessage });
  const { DecodedMessage } = await read();
  const { allowed, explicitDeny, matchedStatements, context } = JSON.parse(DecodedMessage ?? "{}");
  deepEqual([allowed, explicitDeny, context.action], [false, true, "sqs:ListQueues"]);
  equal(matchedStatements.items[0].statementId, "NoQueues");
  equal((await refusal(read(user.clients)))?.name, "AccessDenied");
  const forged = await refusal(
    server.rootClients.sts.decodeAuthorizationMessage({ EncodedMessage: "s1.AAAA" }),
  );
  equal(forged?.name, "InvalidAuthorizationMessageException");
});
