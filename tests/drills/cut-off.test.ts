// Goal: a server that lost its invalidation channel for more than a second believes none of the
// policies, keys and credentials that it cached, and allows nothing where the database is silent.
// Method: a server behind a proxy that holds back the one connection of the channel. Rights are
// taken back in the tables themselves, so that nobody is told of it. The twin: with the channel,
// what is cached counts, and the same rows change nothing.
import { deepEqual, equal } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startProxy } from "../harness/postgres/proxy.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { refusal, startTestServer } from "../harness/server.ts";

async function serverBehindProxy(t: TestContext) {
  const cluster = await sharedCluster();
  const proxy = await startProxy(cluster.port);
  const store = new URL(cluster.newStoreUrl());
  store.port = String(proxy.port);
  const schema = store.searchParams.get("schema") ?? "";
  const server = await startTestServer({ flags: { store: store.href, clock: "system" } });
  t.after(async () => {
    proxy.flow();
    await server.stop();
    proxy.close();
  });
  return { proxy, server, sql: (text: string) => cluster.sql(text.replaceAll("$", schema)) };
}

const allowAll = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
});

test("cut off from the others, a server believes nothing that it cached", async (t) => {
  const { proxy, server, sql } = await serverBehindProxy(t);
  const { iam, kms, sqs } = server.rootClients;
  const KeyId = (await kms.createKey({})).KeyMetadata?.KeyId ?? "";
  const sealing = { KmsMasterKeyId: KeyId, KmsDataKeyReusePeriodSeconds: "86400" };
  const { QueueUrl } = await sqs.createQueue({ QueueName: "plain" });
  const { QueueUrl: sealed } = await sqs.createQueue({ QueueName: "sealed", Attributes: sealing });
  const bob = await server.createUser("bob");
  await iam.createUser({ UserName: "carol" });
  await kms.disableKey({ KeyId });
  await sql("CREATE TABLE $.before AS SELECT * FROM $.records");

  await kms.enableKey({ KeyId });
  for (const UserName of ["bob", "carol"]) {
    await iam.putUserPolicy({ UserName, PolicyName: "all", PolicyDocument: allowAll });
  }
  const { AccessKey } = await iam.createAccessKey({ UserName: "carol" });
  const carol = server.clients({
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  });
  const Plaintext = Buffer.from("text");
  const asked = () =>
    Promise.all([
      refusal(bob.clients.sqs.sendMessage({ QueueUrl, MessageBody: "policy" })),
      refusal(carol.sqs.sendMessage({ QueueUrl, MessageBody: "credential" })),
      refusal(kms.encrypt({ KeyId, Plaintext })),
      refusal(sqs.sendMessage({ QueueUrl: sealed, MessageBody: "data key" })),
    ]);
  const answers = async () => (await asked()).map((refused) => refused?.name ?? "allowed");
  const allowed = ["allowed", "allowed", "allowed", "allowed"];
  deepEqual(await answers(), allowed);

  await sql("DELETE FROM $.records; INSERT INTO $.records SELECT * FROM $.before");
  deepEqual(await answers(), allowed, "the twin: with the channel, what is cached counts");
  proxy.stall("sealpost feed");
  await pause(1_000);
  const closed = ["AccessDenied", "InvalidClientTokenId", "DisabledException", "KmsDisabled"];
  deepEqual(await answers(), closed);
});

test("where the database is silent, nothing is allowed, and then all is as before", async (t) => {
  const { proxy, server } = await serverBehindProxy(t);
  const { sqs } = server.rootClients;
  const { QueueUrl } = await sqs.createQueue({ QueueName: "silent" });
  const seen = { answered: false };
  proxy.stall();
  await pause(1_000);
  const sent = sqs.sendMessage({ QueueUrl, MessageBody: "m" }).finally(() => {
    seen.answered = true;
  });
  await pause(300);
  equal(seen.answered, false);
  proxy.flow();
  await refusal(sent);
  equal(await refusal(sqs.sendMessage({ QueueUrl, MessageBody: "again" })), undefined);
});
