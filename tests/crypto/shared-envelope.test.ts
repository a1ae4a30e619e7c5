import assert from "node:assert/strict";
import { test } from "node:test";
import { ContentKeys } from "../../src/crypto/content-keys.ts";
import { openBody, roomAfter, roomBefore, sealBody } from "../../src/crypto/envelope.ts";
import { envelopeDigest } from "../../src/crypto/rows.ts";
import { ContentKey, keyPartBytes } from "../../src/crypto/shared-envelope.ts";

const body = Buffer.from('{"patient":"Ada Lovelace"}');
const keyOf = (digit: number) => ({
  dataKey: Buffer.alloc(32, digit),
  dataKeyId: String(digit).repeat(32),
  sealingArn: `arn:aws:sqs:us-east-1:123456789012:queue-${digit}`,
});
const one = keyOf(1);
const two = keyOf(2);

/** What each data key's queue has of the body, as a store gives it back. */
function envelopes(contentKey: ContentKey, text: Uint8Array = body): Buffer[] {
  const room = Buffer.alloc(roomBefore + text.length + roomAfter);
  room.set(text, roomBefore);
  return contentKey.seal(room).map(({ bytes, bodyPart }) => Buffer.concat([bytes, bodyPart]));
}

function open({ dataKey, dataKeyId, sealingArn }: typeof one, envelope: Uint8Array) {
  return openBody(dataKey, dataKeyId, sealingArn, envelope);
}

/** Two envelopes of the same body. */
function pair(contentKey = new ContentKey([one, two])): [Buffer, Buffer] {
  const [first, second] = envelopes(contentKey);
  assert.ok(first && second);
  return [first, second];
}

// Goal: no changed envelope opens. Method: flip every bit, cut every length; the untouched
// envelope, which opens, is the twin.
test("a flipped bit or a missing byte does not open", () => {
  const [envelope] = pair();
  for (let bit = 0; bit < envelope.length * 8; bit += 1) {
    const mask = 1 << (bit & 7);
    envelope[bit >> 3] = (envelope[bit >> 3] ?? 0) ^ mask;
    assert.equal(open(one, envelope), undefined, `bit ${bit}`);
    envelope[bit >> 3] = (envelope[bit >> 3] ?? 0) ^ mask;
  }
  for (let length = 0; length < envelope.length; length += 1) {
    assert.equal(open(one, envelope.subarray(0, length)), undefined);
  }
  assert.deepEqual(open(one, envelope), body);
});

// Goal: the parts of an envelope belong together. Method: key parts of another queue, of another
// content key, and an envelope that poses as one that is not shared, and the other way round.
test("substitution does not open", () => {
  const [first, second] = pair();
  const [other] = pair();
  const [keyPart, rest] = [first.subarray(0, keyPartBytes), first.subarray(keyPartBytes)];
  assert.equal(open(two, first), undefined, "another queue's");
  assert.deepEqual(open(two, second), body, "the twin");
  assert.deepEqual(Buffer.compare(rest, second.subarray(keyPartBytes)), 0, "one body part");
  const mixed = Buffer.concat([keyPart, other.subarray(keyPartBytes)]);
  assert.equal(open(one, mixed), undefined, "a body of another content key");
  const posing = Buffer.from(keyPart);
  posing[0] = 1;
  assert.equal(open(one, posing), undefined, "a content key is no body");
  const alone = Buffer.from(sealBody(one.dataKey, one.dataKeyId, one.sealingArn, body).bytes);
  alone[0] = 2;
  assert.equal(open(one, alone), undefined, "a body is no content key");
  const short = Buffer.from(
    sealBody(one.dataKey, one.dataKeyId, one.sealingArn, Buffer.alloc(32)).bytes,
  );
  short[0] = 2;
  assert.equal(open(one, Buffer.concat([short, rest])), undefined, "nor one that is as long");
});

// Goal: a place is tied to both parts. Method: the digest of each envelope in turn.
test("the digest is of both parts", () => {
  const contentKey = new ContentKey([one, two]);
  const [first, second] = pair(contentKey);
  const [again] = pair(contentKey);
  const digests = [first, second, again].map(envelopeDigest);
  assert.equal(new Set(digests).size, 3);
  assert.equal(envelopeDigest(Buffer.from(first)), digests[0], "the twin");
  assert.deepEqual(first.subarray(0, keyPartBytes), again.subarray(0, keyPartBytes));
});

// Goal: nonces and content keys never repeat. Method: 1,000 bodies, 100 content keys.
test("nonces are unique under a content key, and content keys differ", () => {
  const contentKey = new ContentKey([one]);
  const nonces = Array.from({ length: 1000 }, () =>
    envelopes(contentKey)[0]?.toString("hex", keyPartBytes, keyPartBytes + 12),
  );
  assert.equal(new Set(nonces).size, 1000);
  const parts = Array.from({ length: 100 }, () => envelopes(new ContentKey([one]))[0]);
  assert.equal(new Set(parts.map((part) => part?.toString("hex", 1, 29))).size, 100);
});

// Goal: a bounded number of key parts is remembered, whatever sets there are. Method: a small bound
// and more sets; the same key parts mean that the content key was remembered.
test("of too many content keys all are forgotten", () => {
  const keys = new ContentKeys(4);
  const first = keys.of([one, two]);
  assert.equal(keys.of([one, two]), first);
  assert.notEqual(keys.of([one]), first);
  keys.of([two]);
  assert.equal(keys.of([one, two]), first, "four are allowed");
  keys.of([keyOf(3)]);
  assert.notEqual(keys.of([one, two]), first);
});

// Goal: nothing stays of a content key once one of its data keys is dropped, also not with a data
// key that lives on. Method: the other data key is renewed again and again.
test("a dropped content key leaves no name", () => {
  const keys = new ContentKeys();
  keys.of([one]);
  const before = keys.nameCount;
  for (let digit = 2; digit < 9; digit += 1) {
    keys.of([one, keyOf(digit)]);
    assert.ok(keys.nameCount > before, "the twin");
    keys.drop(keyOf(digit).dataKeyId);
    assert.equal(keys.nameCount, before);
  }
  keys.drop(one.dataKeyId);
  assert.equal(keys.nameCount, 0);
  keys.drop("unknown");
});
