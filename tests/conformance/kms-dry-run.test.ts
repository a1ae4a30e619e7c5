import { deepEqual, equal, ok } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import type { GrantOperation, KMS } from "@aws-sdk/client-kms";
import { refusal, startTestServer } from "../harness/server.ts";

// Goal: DryRun works on every operation whose model has it: it answers that the call would have
// succeeded and does nothing, is denied where the call would be, and shows the refusals of the key's
// state. Method: one call of each through the SDK; the list of operations is the model's; the same
// call without DryRun is the twin.

const server = await startTestServer();
after(() => server.stop());
const { kms } = server.rootClients;
const stranger = (await server.createUser("stranger")).clients.kms;

const model = JSON.parse(
  readFileSync(new URL("../../models/kms.json", import.meta.url), "utf8"),
) as {
  operations: Record<string, { input?: string }>;
  shapes: Record<string, { members?: Record<string, unknown> }>;
};
/** Of ML-KEM keys, which are not offered. */
const notOffered = ["Encapsulate", "Decapsulate"];
const withDryRun = Object.entries(model.operations)
  .filter(([, { input = "" }]) => model.shapes[input]?.members?.DryRun !== undefined)
  .map(([name]) => name)
  .filter((name) => !notOffered.includes(name));

const newKey = async (input: Parameters<KMS["createKey"]>[0]) =>
  (await kms.createKey(input)).KeyMetadata?.Arn ?? "";
const symmetric = await newKey({});
const signing = await newKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
const agreeing = await newKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
const hmac = await newKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
const text = Buffer.from("record");
const { CiphertextBlob } = await kms.encrypt({ KeyId: symmetric, Plaintext: text });
const sign = { KeyId: signing, Message: text, SigningAlgorithm: "ECDSA_SHA_256" } as const;
const { Signature } = await kms.sign(sign);
const mac = { KeyId: hmac, Message: text, MacAlgorithm: "HMAC_SHA_256" } as const;
const { Mac } = await kms.generateMac(mac);
const PublicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
  type: "spki",
  format: "der",
});
const clerk = await server.createUser("clerk");
const grant = (operation: GrantOperation) => ({
  KeyId: symmetric,
  GranteePrincipal: clerk.arn,
  Operations: [operation],
});
const { GrantId: retired } = await kms.createGrant(grant("Decrypt"));
const { GrantId: revoked } = await kms.createGrant(grant("Decrypt"));

type Ask = (by: KMS, DryRun: boolean) => Promise<object>;
interface Call {
  readonly key: string;
  readonly ask: Ask;
}

const key = symmetric;
const calls: Readonly<Record<string, Call>> = {
  CreateGrant: { key, ask: (by, DryRun) => by.createGrant({ ...grant("Encrypt"), DryRun }) },
  RetireGrant: {
    key,
    ask: (by, DryRun) => by.retireGrant({ KeyId: key, GrantId: retired, DryRun }),
  },
  RevokeGrant: {
    key,
    ask: (by, DryRun) => by.revokeGrant({ KeyId: key, GrantId: revoked, DryRun }),
  },
  Encrypt: { key, ask: (by, DryRun) => by.encrypt({ KeyId: key, Plaintext: text, DryRun }) },
  Decrypt: { key, ask: (by, DryRun) => by.decrypt({ CiphertextBlob, DryRun }) },
  ReEncrypt: {
    key,
    ask: (by, DryRun) => by.reEncrypt({ CiphertextBlob, DestinationKeyId: key, DryRun }),
  },
  GenerateDataKey: {
    key,
    ask: (by, DryRun) => by.generateDataKey({ KeyId: key, KeySpec: "AES_256", DryRun }),
  },
  GenerateDataKeyWithoutPlaintext: {
    key,
    ask: (by, DryRun) =>
      by.generateDataKeyWithoutPlaintext({ KeyId: key, KeySpec: "AES_256", DryRun }),
  },
  GenerateDataKeyPair: {
    key,
    ask: (by, DryRun) =>
      by.generateDataKeyPair({ KeyId: key, KeyPairSpec: "ECC_NIST_P256", DryRun }),
  },
  GenerateDataKeyPairWithoutPlaintext: {
    key,
    ask: (by, DryRun) =>
      by.generateDataKeyPairWithoutPlaintext({ KeyId: key, KeyPairSpec: "ECC_NIST_P256", DryRun }),
  },
  Sign: { key: signing, ask: (by, DryRun) => by.sign({ ...sign, DryRun }) },
  Verify: { key: signing, ask: (by, DryRun) => by.verify({ ...sign, Signature, DryRun }) },
  GenerateMac: { key: hmac, ask: (by, DryRun) => by.generateMac({ ...mac, DryRun }) },
  VerifyMac: { key: hmac, ask: (by, DryRun) => by.verifyMac({ ...mac, Mac, DryRun }) },
  DeriveSharedSecret: {
    key: agreeing,
    ask: (by, DryRun) =>
      by.deriveSharedSecret({ KeyId: agreeing, KeyAgreementAlgorithm: "ECDH", PublicKey, DryRun }),
  },
};

test("every operation of the model that has DryRun is tried", () => {
  deepEqual(Object.keys(calls).sort(), withDryRun.sort());
});

for (const [name, { key: KeyId, ask }] of Object.entries(calls)) {
  test(`DryRun of ${name}`, async () => {
    const grants = async () => (await kms.listGrants({ KeyId: symmetric })).Grants?.length;
    const before = await grants();
    const dry = await refusal(ask(kms, true));
    deepEqual(dry, {
      name: "DryRunOperationException",
      message: "The request would have succeeded, but the DryRun option is set.",
      status: 400,
    });
    equal(await grants(), before);
    const denied = await refusal(ask(stranger, true));
    equal(denied?.name, "AccessDeniedException");
    if (name !== "RetireGrant" && name !== "RevokeGrant") {
      await kms.disableKey({ KeyId });
      equal((await refusal(ask(kms, true)))?.name, "DisabledException");
      await kms.enableKey({ KeyId });
    }
    ok(await ask(kms, false), "the twin");
  });
}
