import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { recordContents } from "../encryption/database.ts";
import { filesWith } from "../encryption/files.ts";
import { refusal, startTestServer } from "../harness/server.ts";
import { embeddedOnly } from "../harness/store-choice.ts";

// Goal: imported material that is deleted or expires is in no file any more, and what it opened is
// closed at that instant, cached data keys too. Method: read the wrapped material while the server
// is down, let it go, search every file; a key that is spared is the twin. (Scheduled deletion has
// its own test: encryption/destroyed.)

let server = await startTestServer();
after(() => server.stop());
const day = 86_400;

for (const how of ["deleted", "expired"] as const) {
  test(`material that is ${how} leaves nothing behind`, { skip: embeddedOnly }, async () => {
    const [gone, kept] = [await importedKey(how === "expired"), await importedKey(false)];
    const { sqs } = server.rootClients;
    const Attributes = {
      ...{ KmsMasterKeyId: gone, KmsDataKeyReusePeriodSeconds: "86400" },
      MessageRetentionPeriod: "1209600",
    };
    const { QueueUrl } = await sqs.createQueue({ QueueName: how, Attributes });
    await sqs.sendMessage({ QueueUrl, MessageBody: "sealed" });
    const wrapped = await wrappedOf([gone, kept]);
    for (const material of wrapped) notDeepEqual(filesWith(server.dataFolder, [material]), []);
    const url = QueueUrl?.replace(/^https:\/\/[^/]+/, server.httpsUrl);
    await server.rootClients.sqs.sendMessage({ QueueUrl: url, MessageBody: "cached" });

    if (how === "deleted") {
      await server.rootClients.kms.deleteImportedKeyMaterial({ KeyId: gone });
    } else await server.advance(2 * day);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = wrapped;
    deepEqual(filesWith(server.dataFolder, [first]), []);
    notDeepEqual(filesWith(server.dataFolder, [second]), [], "the twin");
    // A day has not passed: without the wipe the cached data key would still seal and open.
    const { kms } = server.rootClients;
    equal((await kms.describeKey({ KeyId: gone })).KeyMetadata?.KeyState, "PendingImport");
    const send = await refusal(
      server.rootClients.sqs.sendMessage({ QueueUrl: url, MessageBody: "more" }),
    );
    equal(send?.name, "KmsInvalidState");
    await kms.encrypt({ KeyId: kept, Plaintext: Buffer.from("x") });
  });
}

async function importedKey(expires: boolean): Promise<string> {
  const { kms } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({ Origin: "EXTERNAL" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { PublicKey, ImportToken, ParametersValidTo } = await kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  const EncryptedKeyMaterial = publicEncrypt({ key, oaepHash: "sha256" }, randomBytes(32));
  await kms.importKeyMaterial({
    ...{ KeyId, ImportToken, EncryptedKeyMaterial },
    ...(expires
      ? { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: ParametersValidTo }
      : { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" }),
  });
  return KeyId;
}

/** Wrapped materials as they stand in the database, read while the server is down. */
async function wrappedOf(keyIds: readonly string[]): Promise<readonly Buffer[]> {
  let found: readonly Buffer[] = [];
  server = await server.restart((dataFolder) => {
    const contents = recordContents(dataFolder, "kms.key");
    found = keyIds.map((id) => {
      const { materials } = JSON.parse(contents.get(id) ?? "{}");
      return Buffer.from(materials[0].wrapped);
    });
  });
  return found;
}
