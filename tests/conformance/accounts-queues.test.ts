// Goal: somebody of another account sends to and receives from an encrypted queue where queue
// policy, key policy and the own account all admit it, and not where one of them does not.
// Method: one server, two accounts, the SDK; each of the four leaves is taken away in turn.
import { equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestClients, type TestServer } from "../harness/server.ts";
import { makeAccount, type TestAccount } from "./accounts-scene.ts";
import { allow, policy } from "./sts-scene.ts";

let server: TestServer;
let clinic: TestAccount;
before(async () => {
  server = await startTestServer();
  clinic = await makeAccount(server, "clinic");
});
after(() => server.stop());

const queueActions = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"];
const keyActions = ["kms:GenerateDataKey", "kms:Decrypt"];

interface Scene {
  /** Clients of a user of the other account. */
  readonly guest: TestClients;
  readonly QueueUrl: string;
  setIdentity(...statements: readonly object[]): Promise<unknown>;
  setQueue(...actions: readonly string[]): Promise<unknown>;
  setKey(...actions: readonly string[]): Promise<unknown>;
  readonly queueArn: string;
  readonly keyArn: string;
}

async function scene(name: string): Promise<Scene> {
  const { iam } = clinic.clients;
  const { sqs, kms } = server.rootClients;
  const { User } = await iam.createUser({ UserName: name });
  const { AccessKey } = await iam.createAccessKey({ UserName: name });
  const guest = server.clients({
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  });
  const { KeyMetadata } = await kms.createKey({});
  const keyArn = KeyMetadata?.Arn ?? "";
  const Attributes = { KmsMasterKeyId: keyArn };
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: name, Attributes });
  const queueArn = `arn:aws:sqs:${server.region}:${server.accountId}:${name}`;
  const Principal = { AWS: User?.Arn ?? "" };
  const owner = { AWS: `arn:aws:iam::${server.accountId}:root` };
  return {
    guest,
    QueueUrl,
    queueArn,
    keyArn,
    setIdentity: (...statements) =>
      iam.putUserPolicy({
        UserName: name,
        PolicyName: "p",
        PolicyDocument: policy(...statements),
      }),
    setQueue: (...actions) =>
      sqs.setQueueAttributes({
        QueueUrl,
        Attributes: {
          Policy: actions.length === 0 ? "" : policy({ ...allow(actions, queueArn), Principal }),
        },
      }),
    setKey: (...actions) => {
      const guests = actions.length === 0 ? [] : [{ ...allow(actions), Principal }];
      const Policy = policy({ ...allow("kms:*"), Principal: owner }, ...guests);
      return kms.putKeyPolicy({ KeyId: keyArn, PolicyName: "default", Policy });
    },
  };
}

test("a foreign account's user sends and receives where all four leaves are there", async () => {
  const one = await scene("labs");
  const { guest, QueueUrl } = one;
  await one.setQueue(...queueActions);
  await one.setKey(...keyActions);
  await one.setIdentity(allow(queueActions, one.queueArn), allow(keyActions, one.keyArn));
  await guest.sqs.sendMessage({ QueueUrl, MessageBody: "result 7" });
  const { Messages = [] } = await guest.sqs.receiveMessage({ QueueUrl });
  equal(Messages[0]?.Body, "result 7");
  const ReceiptHandle = Messages[0]?.ReceiptHandle ?? "";
  await guest.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
  const other = await refusal(guest.sqs.purgeQueue({ QueueUrl }));
  match(other?.message ?? "", /because no resource-based policy allows the sqs:purgequeue action/);
});

const without = {
  "the queue policy": {
    take: (one: Scene) => one.setQueue("sqs:DeleteMessage"),
    send: /AccessDenied: .* because no resource-based policy allows the sqs:sendmessage action/,
    receive: /AccessDenied: .* because no resource-based policy allows the sqs:receivemessage/,
  },
  "the identity policy for the queue": {
    take: (one: Scene) => one.setIdentity(allow(keyActions, one.keyArn)),
    send: /AccessDenied: .* because no identity-based policy allows the sqs:sendmessage action/,
    receive: /AccessDenied: .* because no identity-based policy allows the sqs:receivemessage/,
  },
  "the key policy": {
    take: (one: Scene) => one.setKey(),
    send: /KmsAccessDenied: .*kms:GenerateDataKey.* no resource-based policies allow access/,
    receive: /KmsAccessDenied: .*kms:Decrypt.* no resource-based policies allow access/,
  },
  "the identity policy for the key": {
    take: (one: Scene) => one.setIdentity(allow(queueActions, one.queueArn)),
    send: /KmsAccessDenied: .*kms:GenerateDataKey.* no identity-based policy allows/,
    receive: /KmsAccessDenied: .*kms:Decrypt.* no identity-based policy allows/,
  },
} as const;

for (const [index, [leaf, { take, send, receive }]] of Object.entries(without).entries()) {
  test(`a foreign account's user without ${leaf}: neither sends nor receives`, async () => {
    const one = await scene(`guest-${index}`);
    const { guest, QueueUrl } = one;
    await one.setQueue(...queueActions);
    await one.setKey(...keyActions);
    await one.setIdentity(allow(queueActions, one.queueArn), allow(keyActions, one.keyArn));
    await server.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
    await take(one);
    const sent = await refusal(guest.sqs.sendMessage({ QueueUrl, MessageBody: "m" }));
    match(`${sent?.name}: ${sent?.message}`, send);
    const received = await refusal(guest.sqs.receiveMessage({ QueueUrl }));
    match(`${received?.name}: ${received?.message}`, receive);
    const { Messages = [] } = await server.rootClients.sqs.receiveMessage({ QueueUrl });
    equal(Messages.length, 1, "a refused receive takes nothing away");
  });
}
