import { deepEqual, equal, rejects } from "node:assert/strict";
import { Agent } from "node:https";
import { after, test } from "node:test";
import {
  buildClient,
  CommitmentPolicy,
  KMS as EncryptionSdkKms,
  getClient,
  getLocalCryptographicMaterialsCache,
  KmsKeyringNode,
  NodeCachingMaterialsManager,
} from "@aws-crypto/client-node";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { startTestServer } from "../harness/server.ts";

// Goal: AWS's own Encryption SDK works with our keys, its cache of data keys included. Method: the
// library as published, led to the server; the audit counts what it really asked for.

const server = await startTestServer();
after(() => server.stop());
const httpsAgent = new Agent({ ca: server.ca, keepAlive: true });
after(() => httpsAgent.destroy());
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const clientProvider = getClient(EncryptionSdkKms, {
  endpoint: server.httpsUrl,
  credentials: server.root,
  requestHandler: new NodeHttpHandler({ httpsAgent }),
} as never);
const encryptionContext = { ward: "7" };
const body = Buffer.from("patient record of Ada Lovelace");

async function keyring(...others: string[]) {
  const { KeyMetadata } = await server.rootClients.kms.createKey({});
  const generatorKeyId = KeyMetadata?.Arn ?? "";
  return new KmsKeyringNode({ clientProvider, generatorKeyId, keyIds: others });
}

async function countOf(eventName: string): Promise<number> {
  const { Events = [] } = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: eventName }],
    MaxResults: 50,
  });
  return Events.length;
}

test("encrypts and decrypts with one key and with several", async () => {
  const { KeyMetadata } = await server.rootClients.kms.createKey({});
  for (const ring of [await keyring(), await keyring(KeyMetadata?.Arn ?? "")]) {
    const { result } = await encrypt(ring, body, { encryptionContext });
    const { plaintext, messageHeader } = await decrypt(ring, result);
    deepEqual(plaintext, body);
    equal(messageHeader.encryptionContext.ward, "7");
    const broken = Buffer.from(result);
    broken[broken.length - 150] = (broken.at(-150) ?? 0) ^ 1;
    await rejects(decrypt(ring, broken));
  }
});

test("cached data keys: one GenerateDataKey and one Decrypt for many messages", async () => {
  const ring = await keyring();
  const caching = new NodeCachingMaterialsManager({
    backingMaterials: ring,
    cache: getLocalCryptographicMaterialsCache(100),
    maxAge: 60_000,
    partition: "tests",
    maxMessagesEncrypted: 100,
  });
  const [made, opened] = [await countOf("GenerateDataKey"), await countOf("Decrypt")];
  for (let count = 0; count < 10; count += 1) {
    const { result } = await encrypt(caching, body, {
      encryptionContext,
      plaintextLength: body.length,
    });
    deepEqual((await decrypt(caching, result)).plaintext, body);
  }
  equal((await countOf("GenerateDataKey")) - made, 1);
  equal((await countOf("Decrypt")) - opened, 1);
});
