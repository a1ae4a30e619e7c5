import { deepEqual, equal } from "node:assert/strict";
import { after, test } from "node:test";
import { refusal, startTestServer } from "../harness/server.ts";

// Goal: GetKeyLastUsage names the latest use that worked, with its audit record. Method: uses,
// refused uses and management calls, compared with what LookupEvents shows.

const server = await startTestServer();
after(() => server.stop());
const { kms, cloudtrail } = server.rootClients;

test("the latest use counts, not management, not what was refused", async () => {
  const { KeyMetadata } = await kms.createKey({});
  const { KeyId = "", CreationDate } = KeyMetadata ?? {};
  const unused = await kms.getKeyLastUsage({ KeyId });
  equal(unused.KeyLastUsage, undefined);
  deepEqual(unused.TrackingStartDate, CreationDate);
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: Buffer.from("x") });
  await server.advance(60);
  const { $metadata } = await kms.decrypt({ CiphertextBlob });
  await server.advance(60);
  await refusal(kms.decrypt({ CiphertextBlob, EncryptionContext: { wrong: "1" } }));
  await kms.describeKey({ KeyId });
  const { KeyLastUsage } = await kms.getKeyLastUsage({ KeyId });
  equal(KeyLastUsage?.Operation, "Decrypt");
  equal(KeyLastUsage?.KmsRequestId, $metadata.requestId);
  const EventId = KeyLastUsage?.CloudTrailEventId ?? "";
  const { Events = [] } = await cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventId", AttributeValue: EventId }],
  });
  equal(Events[0]?.EventName, "Decrypt");
});

test("both keys of a ReEncrypt were used", async () => {
  const made = await Promise.all([kms.createKey({}), kms.createKey({})]);
  const [from = "", to = ""] = made.map(({ KeyMetadata }) => KeyMetadata?.KeyId ?? "");
  const { CiphertextBlob } = await kms.encrypt({ KeyId: from, Plaintext: Buffer.from("x") });
  await server.advance(1);
  await kms.reEncrypt({ CiphertextBlob, DestinationKeyId: to });
  for (const KeyId of [from, to]) {
    equal((await kms.getKeyLastUsage({ KeyId })).KeyLastUsage?.Operation, "ReEncrypt");
  }
});
