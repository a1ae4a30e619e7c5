import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { rawKms } from "../harness/raw-kms.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";

// Goal: the AWS SDK works with KMS over a real socket: every operation, its shapes, codes, texts
// and statuses, and the clock's part in the life of keys.
// Method: one server on a virtual clock; the SDK parses the answers by its own model, raw
// requests look at what the SDK hides.

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const kms = () => server.rootClients.kms;
const daySeconds = 86_400;

async function newKey(): Promise<{ keyId: string; arn: string }> {
  const { KeyMetadata } = await kms().createKey({});
  return { keyId: KeyMetadata?.KeyId ?? "", arn: KeyMetadata?.Arn ?? "" };
}

test("a key through the SDK: dates are dates, blobs are bytes, all four names work", async () => {
  const created = await kms().createKey({
    Description: "ward 7",
    Tags: [{ TagKey: "team", TagValue: "emr" }],
  });
  const keyId = created.KeyMetadata?.KeyId ?? "";
  const arn = `arn:aws:kms:${server.region}:${server.accountId}:key/${keyId}`;
  equal(created.KeyMetadata?.Arn, arn);
  ok(created.KeyMetadata?.CreationDate instanceof Date);
  const described = await kms().describeKey({ KeyId: arn });
  deepEqual(described.KeyMetadata, created.KeyMetadata);
  await kms().createAlias({ AliasName: "alias/ward", TargetKeyId: keyId });
  const aliasArn = `arn:aws:kms:${server.region}:${server.accountId}:alias/ward`;
  const EncryptionContext = { purpose: "test" };
  for (const KeyId of [keyId, arn, "alias/ward", aliasArn]) {
    const made = await kms().generateDataKey({ KeyId, KeySpec: "AES_256", EncryptionContext });
    equal(made.KeyId, arn);
    equal(made.Plaintext?.length, 32);
    const { CiphertextBlob } = made;
    const opened = await kms().decrypt({ CiphertextBlob, EncryptionContext });
    deepEqual(opened.Plaintext, made.Plaintext);
  }
  const tags = await kms().listResourceTags({ KeyId: keyId });
  deepEqual(tags.Tags, [{ TagKey: "team", TagValue: "emr" }]);
  const aliases = await kms().listAliases({ KeyId: keyId });
  equal(aliases.Aliases?.[0]?.AliasArn, aliasArn);
  ok(aliases.Aliases?.[0]?.LastUpdatedDate instanceof Date);
});

test("refusals reach the SDK with code, text and status 400", async () => {
  const { keyId, arn } = await newKey();
  const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
  const missingArn = arn.replace(keyId, missing);
  const notFound = await refusal(kms().describeKey({ KeyId: missing }));
  deepEqual(notFound, {
    name: "NotFoundException",
    message: `Key '${missingArn}' does not exist`,
    status: 400,
  });
  await kms().disableKey({ KeyId: keyId });
  const disabled = await refusal(kms().encrypt({ KeyId: keyId, Plaintext: Buffer.from("x") }));
  deepEqual(disabled, { name: "DisabledException", message: `${arn} is disabled.`, status: 400 });
  const blob = await refusal(kms().decrypt({ CiphertextBlob: Buffer.from("no blob") }));
  equal(blob?.name, "InvalidCiphertextException");
  equal(blob?.status, 400);
  const dry = await refusal(
    kms().generateDataKey({ KeyId: (await newKey()).keyId, KeySpec: "AES_256", DryRun: true }),
  );
  deepEqual([dry?.name, dry?.status], ["DryRunOperationException", 400]);
});

test("member constraints are checked before the key is looked for", async () => {
  const KeyId = "alias/none";
  const large = await refusal(kms().encrypt({ KeyId, Plaintext: Buffer.alloc(4097) }));
  equal(large?.name, "ValidationException");
  equal(
    large?.message,
    "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must " +
      "have length less than or equal to 4096",
  );
  const random = await refusal(kms().generateRandom({ NumberOfBytes: 1025 }));
  equal(
    random?.message,
    "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: " +
      "Member must have value less than or equal to 1024",
  );
});

test("no output is 200 and an empty body; no message is none", async () => {
  const { keyId } = await newKey();
  const send = (operation: string, input: object) => rawKms(server, operation, input);
  const enabled = await send("EnableKey", { KeyId: keyId });
  equal(enabled.status, 200);
  match(enabled.body, /^(\{\})?$/);
  const random = await send("GenerateRandom", { NumberOfBytes: 8 });
  match(JSON.parse(random.body).Plaintext, /^[A-Za-z0-9+/]{11}=$/);
  const none = await send("Decrypt", { CiphertextBlob: "bm90aGluZw==" });
  deepEqual([none.status, none.body], [400, '{"__type":"InvalidCiphertextException"}']);
});

test("users: denied without a policy, allowed by one, denied again without it", async () => {
  const { keyId, arn } = await newKey();
  const user = await server.createUser("kms-user");
  const act = () => user.clients.kms.encrypt({ KeyId: keyId, Plaintext: Buffer.from("x") });
  const text =
    `User: ${user.arn} is not authorized to perform: kms:Encrypt on resource: ${arn} because no ` +
    "identity-based policy allows the kms:Encrypt action";
  const denied = { name: "AccessDeniedException", message: text, status: 400 };
  deepEqual(await refusal(act()), denied);
  const statement = { Effect: "Allow", Action: "kms:Encrypt", Resource: arn };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statement });
  const name = { UserName: "kms-user", PolicyName: "encrypt" };
  await server.rootClients.iam.putUserPolicy({ ...name, PolicyDocument });
  await act();
  await server.rootClients.iam.deleteUserPolicy(name);
  deepEqual(await refusal(act()), denied);
});

test("a key dies at its date, with all that it sealed", async () => {
  const { keyId } = await newKey();
  const Plaintext = Buffer.from("x");
  const { CiphertextBlob } = await kms().encrypt({ KeyId: keyId, Plaintext });
  const scheduled = await kms().scheduleKeyDeletion({ KeyId: keyId, PendingWindowInDays: 7 });
  equal(scheduled.KeyState, "PendingDeletion");
  ok(scheduled.DeletionDate instanceof Date);
  await server.advance(7 * daySeconds - 60);
  const waiting = await kms().describeKey({ KeyId: keyId });
  equal(waiting.KeyMetadata?.KeyState, "PendingDeletion");
  await server.advance(61);
  equal((await refusal(kms().describeKey({ KeyId: keyId })))?.name, "NotFoundException");
  const gone = await refusal(kms().decrypt({ CiphertextBlob }));
  equal(gone?.name, "AccessDeniedException");
  match(gone?.message ?? "", /^The ciphertext refers to a customer master key/);
  const events = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "DeleteKey" }],
  });
  const record = JSON.parse(events.Events?.[0]?.CloudTrailEvent ?? "{}");
  equal(record.eventType, "AwsServiceEvent");
  equal(record.resources[0].ARN.endsWith(keyId), true);
});

test("a due rotation changes the material and nothing else", async () => {
  const { keyId } = await newKey();
  await kms().enableKeyRotation({ KeyId: keyId, RotationPeriodInDays: 90 });
  const before = await kms().describeKey({ KeyId: keyId });
  const { CiphertextBlob } = await kms().encrypt({ KeyId: keyId, Plaintext: Buffer.from("old") });
  await server.advance(90 * daySeconds);
  const later = await kms().describeKey({ KeyId: keyId });
  const material = before.KeyMetadata?.CurrentKeyMaterialId;
  equal(later.KeyMetadata?.CurrentKeyMaterialId === material, false);
  const opened = await kms().decrypt({ CiphertextBlob });
  equal(Buffer.from(opened.Plaintext ?? []).toString(), "old");
  equal(opened.KeyMaterialId, material);
});

test("keys and what they sealed outlive a restart; the policy does too", async () => {
  const { keyId } = await newKey();
  const { CiphertextBlob } = await kms().encrypt({ KeyId: keyId, Plaintext: Buffer.from("x") });
  const { Policy } = await kms().getKeyPolicy({ KeyId: keyId });
  server = await server.restart();
  const opened = await kms().decrypt({ CiphertextBlob });
  equal(Buffer.from(opened.Plaintext ?? []).toString(), "x");
  equal((await kms().getKeyPolicy({ KeyId: keyId })).Policy, Policy);
});

test("the audit tells of a key's use, and neither blob nor plaintext", async () => {
  const { keyId, arn } = await newKey();
  const EncryptionContext = { ward: "7" };
  await kms().generateDataKey({ KeyId: keyId, KeySpec: "AES_256", EncryptionContext });
  const events = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: arn }],
  });
  const found = events.Events?.find((event) => event.EventName === "GenerateDataKey");
  const record = JSON.parse(found?.CloudTrailEvent ?? "{}");
  deepEqual(record.requestParameters, {
    keyId,
    keySpec: "AES_256",
    encryptionContext: EncryptionContext,
  });
  equal(record.responseElements, null);
  const created = events.Events?.find((event) => event.EventName === "CreateKey");
  const { responseElements } = JSON.parse(created?.CloudTrailEvent ?? "{}");
  equal(responseElements.keyMetadata.arn, arn);
  const { GrantId } = await kms().createGrant({
    KeyId: keyId,
    GranteePrincipal: `arn:aws:iam::${server.accountId}:root`,
    Operations: ["Decrypt"],
  });
  const granted = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "CreateGrant" }],
  });
  const grant = JSON.parse(granted.Events?.[0]?.CloudTrailEvent ?? "{}");
  deepEqual(grant.responseElements, { grantId: GrantId, keyId: arn });
  equal(grant.additionalEventData, undefined);
  match(
    responseElements.keyMetadata.creationDate,
    /^[A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d:\d\d [AP]M$/,
  );
});
