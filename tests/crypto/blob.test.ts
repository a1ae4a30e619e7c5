import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aeadOpen } from "../../src/crypto/aead.ts";
import {
  blobBytesMax,
  blobIdentity,
  blobOverheadBytes,
  blobPlaintextBytesMax,
  commitmentHolds,
  openBlob,
  readBlobHeader,
  sealBlob,
} from "../../src/crypto/blob.ts";
import { labels } from "../../src/crypto/constants.ts";
import { canonicalContext } from "../../src/crypto/context.ts";
import { deriveKey } from "../../src/crypto/derive.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import { sealUnderTwoKeys } from "./two-keys.ts";

const material = Buffer.alloc(32, 9);
const otherMaterial = Buffer.alloc(32, 8);
const key = {
  accountId: "000456789012",
  keyId: "0b7c2f3e-1111-4222-8333-abcdefabcdef",
  materialId: "ab".repeat(32),
};
const identity = blobIdentity(key);
const contextBytes = canonicalContext({ "aws:sqs:arn": "arn:aws:sqs:us-east-1:000456789012:q" });
const plaintext = Buffer.from("0123456789abcdef");

function seal(): Buffer {
  return sealBlob({ material, identity, contextBytes, plaintext, random: systemRandom });
}

const open = (blob: Buffer, change: object = {}): Buffer | undefined =>
  openBlob({ material, identity, contextBytes, blob, ...change });

// Goal: every blob opens with what sealed it and names its key. Method: property over keys of both
// forms, contexts and plaintexts.
test("round trip and header", () => {
  const hexDigits = (length: number) =>
    fc.string({
      unit: fc.constantFrom(..."0123456789abcdef"),
      minLength: length,
      maxLength: length,
    });
  const keys = fc.record(
    {
      accountId: fc
        .integer({ min: 0, max: 999_999_999_999 })
        .map((n) => String(n).padStart(12, "0")),
      keyId: fc.oneof(
        fc.uuid(),
        hexDigits(32).map((digits) => `mrk-${digits}`),
      ),
      materialId: hexDigits(64),
    },
    { noNullPrototype: true },
  );
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(keys, bytes, bytes, (anyKey, context, text) => {
      const request = { material, identity: blobIdentity(anyKey), contextBytes: context };
      const blob = sealBlob({ ...request, plaintext: text, random: systemRandom });
      assert.equal(blob.length, text.length + blobOverheadBytes);
      assert.deepEqual(readBlobHeader(blob), anyKey);
      assert.deepEqual(openBlob({ ...request, blob }), Buffer.from(text));
    }),
  );
});

// Goal: the largest plaintext of KMS fits the largest blob of KMS; more is a bug of the caller.
test("sizes", () => {
  const request = { material, identity, contextBytes, random: systemRandom };
  const largest = Buffer.alloc(blobPlaintextBytesMax, 1);
  const blob = sealBlob({ ...request, plaintext: largest });
  assert.ok(blob.length < blobBytesMax);
  assert.deepEqual(open(blob), largest);
  const tooLarge = Buffer.alloc(blobPlaintextBytesMax + 1);
  assert.throws(() => sealBlob({ ...request, plaintext: tooLarge }), /4096/);
});

// Goal: no changed blob opens, whichever part was changed. Method: flip every bit; the untouched
// blob, which opens, is the twin.
test("a flipped bit anywhere does not open", () => {
  const blob = seal();
  for (let bit = 0; bit < blob.length * 8; bit += 1) {
    const mask = 1 << (bit & 7);
    blob[bit >> 3] = (blob[bit >> 3] ?? 0) ^ mask;
    assert.equal(open(blob), undefined, `bit ${bit}`);
    blob[bit >> 3] = (blob[bit >> 3] ?? 0) ^ mask;
  }
  assert.deepEqual(open(blob), plaintext);
});

// Goal: key, material and context must be the very ones. Method: change one at a time.
test("another key, material id or context does not open", () => {
  const blob = seal();
  const changes = [
    { identity: blobIdentity({ ...key, accountId: "000456789013" }) },
    { identity: blobIdentity({ ...key, keyId: "0b7c2f3e-1111-4222-8333-abcdefabcdee" }) },
    { identity: blobIdentity({ ...key, keyId: "mrk-0b7c2f3e111142228333abcdefabcdef" }) },
    { identity: blobIdentity({ ...key, materialId: "ac".repeat(32) }) },
    { contextBytes: Buffer.alloc(0) },
    { contextBytes: canonicalContext({ "aws:sqs:arn": "ARN:aws:sqs:us-east-1:000456789012:q" }) },
    { material: otherMaterial },
  ];
  for (const change of changes) assert.equal(open(blob, change), undefined);
  assert.deepEqual(open(blob), plaintext);
});

// Goal: a blob opens under one material only, even if its maker knew two. Method: ciphertext built
// to open under the call keys of both. Twin: without the commitment, both do open it.
test("key commitment", () => {
  const head = seal().subarray(0, blobOverheadBytes - 16);
  const associated = Buffer.concat([head, contextBytes]);
  const iv = head.subarray(72, 84);
  const callKey = (of: Buffer) => deriveKey(of, labels.blobKey, head.subarray(0, 72));
  const keys = [callKey(material), callKey(otherMaterial)] as const;
  const twoFaced = sealUnderTwoKeys(keys, iv, associated);
  const blob = Buffer.concat([head, twoFaced]);

  const faces = keys.map((face) => aeadOpen(face, iv, associated, twoFaced)?.toString("hex"));
  assert.ok(faces[0] !== undefined && faces[1] !== undefined && faces[0] !== faces[1]);

  assert.equal(open(blob)?.toString("hex"), faces[0]);
  assert.equal(commitmentHolds(otherMaterial, blob), false);
  assert.equal(open(blob, { material: otherMaterial }), undefined);
});

// Goal: two calls share neither key nor nonce. Method: two blobs of one plaintext differ from N on.
test("every call is sealed anew", () => {
  const [left, right] = [seal(), seal()];
  assert.ok(left.subarray(0, 56).equals(right.subarray(0, 56)));
  for (const at of [56, 72, 84, 116]) {
    assert.ok(!left.subarray(at, at + 12).equals(right.subarray(at, at + 12)));
  }
});

// Goal: any bytes may be asked for their header. Method: property; nothing throws.
test("foreign bytes have no header", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const header = readBlobHeader(bytes);
      assert.ok(header === undefined || bytes[0] === 0xb1);
    }),
  );
  const blob = seal();
  assert.equal(readBlobHeader(blob.subarray(0, blobOverheadBytes - 1)), undefined);
  assert.equal(readBlobHeader(Buffer.concat([blob, Buffer.alloc(blobBytesMax)])), undefined);
});

// Goal: a key that the format cannot carry stops before anything is sealed.
test("malformed key names are bugs", () => {
  for (const change of [
    { accountId: "12345678901" },
    { keyId: "alias/aws/sqs" },
    { keyId: key.keyId.toUpperCase() },
    { materialId: "AB".repeat(32) },
  ]) {
    assert.throws(() => blobIdentity({ ...key, ...change }), /assertion failed/);
  }
});
