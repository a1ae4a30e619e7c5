import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { envelopeOverheadBytes, openBody, sealBody } from "../../src/crypto/envelope.ts";

const dataKey = Buffer.alloc(32, 3);
const dataKeyId = "0123456789abcdef0123456789abcdef";
const arn = "arn:aws:sqs:us-east-1:123456789012:Billing-Integration";
const body = Buffer.from('{"patient":"Ada Lovelace"}');

const sealed = (): Buffer => Buffer.from(sealBody(dataKey, dataKeyId, arn, body).bytes);

// Goal: every body opens with what sealed it. Method: property, bodies up to several pool sizes.
test("round trip", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 20_000 }),
      fc.string({ maxLength: 200 }),
      (any, text) => {
        const { dataKeyId: id, bytes } = sealBody(dataKey, dataKeyId, text, any);
        assert.equal(id, dataKeyId);
        assert.equal(bytes.length, any.length + envelopeOverheadBytes);
        assert.deepEqual(openBody(dataKey, dataKeyId, text, bytes), Buffer.from(any));
      },
    ),
  );
});

// Goal: the layout is the documented one. Method: randomness handed in shows where it lies.
test("layout", () => {
  const bytes = Buffer.from(Array.from({ length: 28 }, (_, index) => index + 100));
  const random = { bytes: () => bytes, uuid: () => "" };
  const envelope = Buffer.from(sealBody(dataKey, dataKeyId, arn, body, random).bytes);
  assert.equal(envelope[0], 1);
  assert.deepEqual(envelope.subarray(1, 29), bytes);
  assert.equal(envelope.length, 29 + body.length + 16);
  assert.deepEqual(openBody(dataKey, dataKeyId, arn, envelope), body);
});

// Goal: no changed envelope opens. Method: flip every bit, cut every length; the untouched
// envelope, which opens, is the twin.
test("a flipped bit or a missing byte does not open", () => {
  const envelope = sealed();
  for (let bit = 0; bit < envelope.length * 8; bit += 1) {
    const mask = 1 << (bit & 7);
    envelope[bit >> 3] = (envelope[bit >> 3] ?? 0) ^ mask;
    assert.equal(openBody(dataKey, dataKeyId, arn, envelope), undefined, `bit ${bit}`);
    envelope[bit >> 3] = (envelope[bit >> 3] ?? 0) ^ mask;
  }
  for (let length = 0; length < envelope.length; length += 1) {
    assert.equal(openBody(dataKey, dataKeyId, arn, envelope.subarray(0, length)), undefined);
  }
  assert.deepEqual(openBody(dataKey, dataKeyId, arn, envelope), body);
});

// Goal: an envelope opens only as what it was sealed as. Method: substitute ARN, data-key id, seal
// id (from another envelope) and data key one at a time.
test("substitution does not open", () => {
  const envelope = sealed();
  const otherArn = arn.replace("Billing", "billing");
  const otherId = dataKeyId.replace("0", "1");
  assert.equal(openBody(dataKey, dataKeyId, otherArn, envelope), undefined);
  assert.equal(openBody(dataKey, dataKeyId, `${arn}x`, envelope), undefined);
  assert.equal(openBody(dataKey, otherId, arn, envelope), undefined);
  assert.equal(openBody(Buffer.alloc(32, 4), dataKeyId, arn, envelope), undefined);
  const transplanted = Buffer.from(envelope);
  sealed().copy(transplanted, 1, 1, 17);
  assert.equal(openBody(dataKey, dataKeyId, arn, transplanted), undefined);
  assert.deepEqual(openBody(dataKey, dataKeyId, arn, envelope), body);
});

// Goal: seal ids and nonces never repeat, across refills of their stock too. Method: seal 1,000.
test("seal ids and nonces are unique", () => {
  const heads = Array.from({ length: 1000 }, () => sealed().toString("hex", 1, 29));
  assert.equal(new Set(heads).size, heads.length);
  assert.equal(new Set(heads.map((head) => head.slice(32))).size, heads.length);
});

// Goal: a data-key id of another form is a bug: AAD relies on its fixed length.
test("a malformed data-key id is a bug", () => {
  assert.throws(() => sealBody(dataKey, "short", arn, body), /32 hex/);
});
