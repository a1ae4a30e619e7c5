import { equal, match } from "node:assert/strict";
import { after, test } from "node:test";
import { readSettings } from "../../src/cli/settings.ts";
import { createRequestQuotas, quotaRates } from "../../src/services/kms/quotas.ts";
import { refusal, startTestServer } from "../harness/server.ts";
import { type Answer, accountA, accountB, createBed, refused } from "./kms-bed.ts";

// Goal: with quotas on, requests above them are told to slow down, by group, account and region, on
// the service clock; SNS and SQS tell it in their own words. Method: small rates, a clock that the
// test moves; the same calls without quotas are the twin.

const throttled = /^You have exceeded the rate at which you may call KMS\./;

test("a group is full, a second later it is not; others never were", async () => {
  const bed = await createBed({ quotas: { symmetric: 3 } });
  const created = await bed.kms("CreateKey", {});
  const KeyId = String((created.KeyMetadata as Answer).KeyId);
  const make = () => bed.kms("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  for (let count = 0; count < 3; count += 1) await make();
  await refused(make(), "ThrottlingException", throttled);
  await bed.kms("DescribeKey", { KeyId });
  await bed.kms("GenerateRandom", { NumberOfBytes: 8 }, bed.root(accountB));
  bed.clock.nowMs += 334;
  await make();
  await refused(make(), "ThrottlingException", throttled);
  bed.clock.nowMs += 10_000;
  for (let count = 0; count < 3; count += 1) await make();
  await refused(make(), "ThrottlingException", throttled);
});

test("groups by kind of key; ReEncrypt counts for both; rates below one", async () => {
  const bed = await createBed({ quotas: { rsa: 1, symmetric: 4 } });
  const key = async (input: object) =>
    String(((await bed.kms("CreateKey", input)).KeyMetadata as Answer).KeyId);
  const rsa = await key({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" });
  const symmetric = await key({});
  const Plaintext = Buffer.from("x");
  const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
  await bed.kms("Encrypt", { KeyId: rsa, Plaintext, EncryptionAlgorithm });
  const second = bed.kms("Encrypt", { KeyId: rsa, Plaintext, EncryptionAlgorithm });
  await refused(second, "ThrottlingException", throttled);
  const sealed = await bed.kms("Encrypt", { KeyId: symmetric, Plaintext });
  const { CiphertextBlob } = sealed;
  await bed.kms("ReEncrypt", { CiphertextBlob, DestinationKeyId: symmetric });
  await bed.kms("Decrypt", { CiphertextBlob });
  await refused(bed.kms("Decrypt", { CiphertextBlob }), "ThrottlingException", throttled);
  const pair = () => bed.kms("GenerateDataKeyPair", { KeyId: symmetric, KeyPairSpec: "RSA_3072" });
  await pair();
  bed.clock.nowMs += 1000;
  await refused(pair(), "ThrottlingException", throttled);
  bed.clock.nowMs += 1000;
  await pair();
});

test("AWS's own rates stand behind what is not changed", () => {
  const quotas = createRequestQuotas({ ListKeys: 1 });
  const fits = (group: string, count: number) =>
    quotas.take(accountA, "us-east-1", group, count, 0);
  equal(fits("symmetric", 50_000), true);
  equal(fits("symmetric", 1), false);
  equal(quotas.take(accountA, "eu-north-1", "symmetric", 5500, 0), true);
  equal(quotas.take(accountA, "eu-north-1", "symmetric", 1, 0), false);
  equal(fits("CreateKey", 5), true);
  equal(fits("CreateKey", 1), false);
  equal(fits("ListKeys", 1), true);
  equal(fits("ListKeys", 1), false);
});

test("the setting: off, aws, and changed rates", () => {
  equal(quotaRates("off"), undefined);
  equal(Object.keys(quotaRates("aws") ?? { none: 0 }).length, 0);
  equal(quotaRates("aws,symmetric=100,rsa=0.5")?.rsa, 0.5);
  const read = (kmsQuotas: string) =>
    readSettings({ flags: { kmsQuotas }, workingDirectory: "/", fileText: undefined });
  equal(read("aws").kmsQuotas, "aws");
  let error: unknown;
  try {
    read("lots");
  } catch (thrown) {
    error = thrown;
  }
  match(String(error), /--kms-quotas/);
});

const server = await startTestServer({ flags: { kmsQuotas: "aws,symmetric=2" } });
after(() => server.stop());

test("SNS and SQS say it in their own words", async () => {
  const { kms, sns, sqs } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const attributes = { KmsMasterKeyId: KeyId };
  const { QueueUrl } = await sqs.createQueue({ QueueName: "q", Attributes: attributes });
  const { TopicArn } = await sns.createTopic({ Name: "t", Attributes: attributes });
  const spend = async () => {
    await server.advance(5);
    for (let count = 0; count < 8; count += 1) {
      const refusedCall = await refusal(kms.generateDataKey({ KeyId, KeySpec: "AES_256" }));
      if (refusedCall) return equal(refusedCall.name, "ThrottlingException");
    }
    throw new Error("never throttled");
  };
  // On a slow machine some of the quota comes back in between: then once more, without a data key.
  const throttled = async (act: () => Promise<unknown>) => {
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await spend();
      const refused = await refusal(act());
      if (refused) return refused.name;
      await server.advance(300);
    }
    return undefined;
  };
  const send = () => sqs.sendMessage({ QueueUrl, MessageBody: "m" });
  equal(await throttled(send), "KmsThrottled");
  const publish = () => sns.publish({ TopicArn, Message: "m" });
  equal(await throttled(publish), "KMSThrottlingException");
  await server.advance(5);
  await sqs.sendMessage({ QueueUrl, MessageBody: "m" });
});
