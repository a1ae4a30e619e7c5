import { deepEqual, equal, ok } from "node:assert/strict";
import { after, test } from "node:test";

import { importTarget, wrapMaterial } from "../harness/import-key.ts";
import { rawKms } from "../harness/raw-kms.ts";
import { refusal, startTestServer } from "../harness/server.ts";
import { makeAccount } from "./accounts-scene.ts";

// Goal: a ciphertext that was changed in any way is refused with the error that AWS documents, and
// the answer tells nothing but which class it is of: its key cannot be found, or it does not open.
// Method: every byte of a blob changed, every length, every kind of wrong context and wrong key,
// through the SDK and as raw bytes; the unchanged blob, which opens, is the twin each time.

const server = await startTestServer();
after(() => server.stop());
const { kms } = server.rootClients;

const Plaintext = Buffer.from("record of Ada L.");
const EncryptionContext = { ward: "7", Purpose: "billing" };
const created = (await kms.createKey({})).KeyMetadata;
const KeyId = created?.KeyId ?? "";
const sealed = await kms.encrypt({ KeyId, Plaintext, EncryptionContext });
const blob = Buffer.from(sealed.CiphertextBlob ?? []);

const unknownKey =
  "The ciphertext refers to a customer master key that does not exist, does not exist in this " +
  "region, or you are not allowed to access.";
const incorrectKey =
  "The key ID in the request does not identify a CMK that can perform this operation.";
const invalid = '{"__type":"InvalidCiphertextException"}';
const unknown = JSON.stringify({ __type: "AccessDeniedException", message: unknownKey });
const incorrect = JSON.stringify({ __type: "IncorrectKeyException", message: incorrectKey });

/** Where each part of a blob begins; `crypto/blob` documents the form. */
const parts = {
  format: 0,
  account: 1,
  keyForm: 7,
  keyId: 8,
  materialId: 24,
  salt: 56,
  iv: 72,
  commitment: 84,
  ciphertext: 116,
  tag: 116 + Plaintext.length,
} as const;
const ends = [...Object.values(parts).slice(1), blob.length];
/** Parts that say which key it is: with another there, the blob is another key's. */
const naming = new Set<string>(["account", "keyForm", "keyId"]);
/** Of another account's key, whether there is one or not; the name in it is what the blob says. */
const foreign = (body: string) =>
  body.replace(/arn:aws:kms:us-east-1:\d{12}:key\/[0-9a-fmrk-]+/, "ARN");
const foreignKey = (action: string) =>
  JSON.stringify({
    __type: "AccessDeniedException",
    message:
      `User: arn:aws:iam::${server.accountId}:root is not authorized to perform: ${action} on ` +
      "resource: ARN because the resource does not exist in this Region, no resource-based " +
      "policies allow access, or a resource-based policy explicitly denies access",
  });

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const flipped = (at: number, bit: number): Buffer => {
  const bytes = Buffer.from(blob);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
};

/** The raw answers of Decrypt, without and with the key named, and of ReEncrypt. */
async function answers(bytes: Uint8Array, context: object = EncryptionContext) {
  const CiphertextBlob = base64(bytes);
  const asked = { CiphertextBlob, EncryptionContext: context };
  const all = [
    await rawKms(server, "Decrypt", asked),
    await rawKms(server, "Decrypt", { ...asked, KeyId }),
    await rawKms(server, "ReEncrypt", {
      CiphertextBlob,
      SourceEncryptionContext: context,
      DestinationKeyId: KeyId,
    }),
  ];
  return all.map(({ status, body }) => (status === 200 ? "opened" : body));
}

test("the blob as it was made opens", async () => {
  equal(blob.length, parts.tag + 16);
  deepEqual(await answers(blob), ["opened", "opened", "opened"]);
  const reordered = { Purpose: "billing", ward: "7" };
  deepEqual(await answers(blob, reordered), ["opened", "opened", "opened"]);
});

for (const [index, [part, from]] of Object.entries(parts).entries()) {
  test(`a changed byte in ${part}`, async () => {
    const to = ends[index] ?? 0;
    for (let at = from; at < to; at += 1) {
      // All bits of the first byte, then one that moves along.
      for (const bit of at === from ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
        const got = await answers(flipped(at, bit));
        const name = `byte ${at}, bit ${bit}`;
        if (!naming.has(part)) deepEqual(got, [invalid, invalid, invalid], name);
        // Forms of key ids and accounts that there are none of make it no blob at all.
        else if (got[0] === invalid) deepEqual(got, [invalid, invalid, invalid], name);
        else if (part !== "account") deepEqual(got, [unknown, incorrect, unknown], name);
        else {
          const expected = [foreignKey("kms:Decrypt"), incorrect, foreignKey("kms:ReEncryptFrom")];
          deepEqual(got.map(foreign), expected, name);
        }
      }
    }
  });
}

test("every length but its own", async () => {
  // Around every part's end, and some in between.
  const near = new Set(ends.flatMap((end) => [end - 1, end, end + 1]));
  for (let length = 1; length < blob.length; length += 1) {
    if (!near.has(length) && length % 7 !== 0) continue;
    const got = await answers(blob.subarray(0, length));
    deepEqual(got, [invalid, invalid, invalid], `${length} bytes`);
  }
  for (const more of [1, 16, 6144 - blob.length]) {
    const got = await answers(Buffer.concat([blob, Buffer.alloc(more)]));
    deepEqual(got, [invalid, invalid, invalid], `${more} bytes more`);
  }
  const tooLong = await refusal(kms.decrypt({ CiphertextBlob: Buffer.alloc(6145) }));
  equal(tooLong?.name, "ValidationException");
  equal(
    tooLong?.message,
    "1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: Member " +
      "must have length less than or equal to 6144",
  );
  const empty = await refusal(kms.decrypt({ CiphertextBlob: Buffer.alloc(0) }));
  equal(empty?.name, "ValidationException");
  match400(await rawKms(server, "Decrypt", { CiphertextBlob: "not base64!" }));
});

function match400({ status, body }: { status: number; body: string }): void {
  equal(status, 400);
  ok(!/stack|node:|src\//.test(body), body);
}

test("parts of two blobs put together", async () => {
  const again = await kms.encrypt({ KeyId, Plaintext, EncryptionContext });
  const other = Buffer.from(again.CiphertextBlob ?? []);
  for (const at of ends.slice(0, -1)) {
    const name = `joined at ${at}`;
    const joined = Buffer.concat([blob.subarray(0, at), other.subarray(at)]);
    const same = joined.equals(blob) || joined.equals(other);
    deepEqual((await answers(joined))[0], same ? "opened" : invalid, name);
  }
});

test("a wrong encryption context", async () => {
  const contexts: Readonly<Record<string, object>> = {
    none: {},
    "one pair missing": { ward: "7" },
    "the other missing": { Purpose: "billing" },
    "one pair more": { ...EncryptionContext, extra: "1" },
    "an empty pair more": { ...EncryptionContext, "": "" },
    "a key in another case": { Ward: "7", Purpose: "billing" },
    "a value in another case": { ward: "7", Purpose: "Billing" },
    "a blank at the end": { ward: "7 ", Purpose: "billing" },
    "values changed round": { ward: "billing", Purpose: "7" },
    "keys and values run together": { ward7: "", Purpose: "billing" },
    "another normal form": { ward: "7", Purpose: "billing\u0301" },
  };
  for (const [name, context] of Object.entries(contexts)) {
    deepEqual(await answers(blob, context), [invalid, invalid, invalid], name);
  }
  const bare = await kms.encrypt({ KeyId, Plaintext });
  const asked = { CiphertextBlob: bare.CiphertextBlob, EncryptionContext };
  equal((await refusal(kms.decrypt(asked)))?.name, "InvalidCiphertextException");
  ok((await kms.decrypt({ CiphertextBlob: bare.CiphertextBlob })).Plaintext, "the twin");
});

test("another key, region, account", async () => {
  const other = (await kms.createKey({})).KeyMetadata?.KeyId ?? "";
  const asked = { CiphertextBlob: base64(blob), EncryptionContext };
  const named = await rawKms(server, "Decrypt", { ...asked, KeyId: other });
  deepEqual([named.status, named.body], [400, incorrect]);
  const hmac = await kms.createKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
  const wrongKind = await refusal(
    kms.decrypt({ CiphertextBlob: blob, EncryptionContext, KeyId: hmac.KeyMetadata?.KeyId }),
  );
  equal(wrongKind?.name, "InvalidKeyUsageException");
  const elsewhere = server.clients(server.root, { region: "eu-central-1" }).kms;
  const abroad = await refusal(elsewhere.decrypt({ CiphertextBlob: blob, EncryptionContext }));
  deepEqual([abroad?.name, abroad?.message], ["AccessDeniedException", unknownKey]);
  const clinic = await makeAccount(server, "clinic");
  const theirs = clinic.clients.kms;
  const denied = await refusal(theirs.decrypt({ CiphertextBlob: blob, EncryptionContext }));
  equal(denied?.name, "AccessDeniedException");
  // A key of that account that there never was is refused in the same words.
  const invented = flipped(parts.keyId + 3, 2);
  const neverWas = await refusal(theirs.decrypt({ CiphertextBlob: invented, EncryptionContext }));
  equal(neverWas?.name, "AccessDeniedException");
  equal(foreign(neverWas?.message ?? ""), foreign(denied?.message ?? ""));
});

test("material that is gone, and a key that is", async () => {
  const target = await importTarget(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const { KeyId: imported } = target;
  const material = Buffer.alloc(32, 5);
  await target.send(...wrapMaterial(material));
  const { CiphertextBlob } = await kms.encrypt({ KeyId: imported, Plaintext });
  ok((await kms.decrypt({ CiphertextBlob })).Plaintext, "the twin");
  await kms.deleteImportedKeyMaterial({ KeyId: imported });
  const without = await refusal(kms.decrypt({ CiphertextBlob }));
  equal(without?.name, "KMSInvalidStateException");
  equal(without?.message?.endsWith(`key/${imported} is pending import.`), true);
  await target.send(...wrapMaterial(material));
  ok((await kms.decrypt({ CiphertextBlob })).Plaintext, "the same material opens it again");
  await kms.disableKey({ KeyId: imported });
  equal((await refusal(kms.decrypt({ CiphertextBlob })))?.name, "DisabledException");
  await kms.scheduleKeyDeletion({ KeyId: imported, PendingWindowInDays: 7 });
  equal((await refusal(kms.decrypt({ CiphertextBlob })))?.name, "KMSInvalidStateException");
  await server.advance(8 * 86_400);
  const gone = await rawKms(server, "Decrypt", {
    CiphertextBlob: base64(CiphertextBlob ?? Buffer.alloc(0)),
  });
  deepEqual([gone.status, gone.body], [400, unknown]);
});
