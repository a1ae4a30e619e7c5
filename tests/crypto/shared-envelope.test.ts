import assert from "node:assert/strict";
import { test } from "node:test";
import { ContentKeys } from "../../src/crypto/content-keys.ts";
import { openBody, roomAfter, roomBefore, sealBody } from "../../src/crypto/envelope.ts";
import { envelopeDigest } from "../../src/crypto/rows.ts";
import { ContentKey, type OwnShare, partsOf } from "../../src/crypto/shared-envelope.ts";
import { checkInsertion, type Insertion } from "../../src/kernel/body.ts";

const body = Buffer.from('{"patient":"Ada Lovelace"}');
const keyOf = (digit: number) => ({
  dataKey: Buffer.alloc(32, digit),
  dataKeyId: String(digit).repeat(32),
  sealingArn: `arn:aws:sqs:us-east-1:123456789012:queue-${digit}`,
});
const one = keyOf(1);
const two = keyOf(2);
const both = [one.dataKeyId, two.dataKeyId];
/** Version, length, and a sealed content key. */
const ownBytes = 3 + 29 + 32 + 16;

/** What each data key's queue has of the body, as a store gives it back. */
function envelopes(contentKey: ContentKey, shares: readonly OwnShare[]): Buffer[] {
  const room = Buffer.alloc(roomBefore + body.length + roomAfter);
  room.set(body, roomBefore);
  const sealed = contentKey.seal(room, shares);
  return sealed.map(({ bytes, bodyPart }) => Buffer.concat([bytes, bodyPart]));
}

const shareOf = (key: typeof one, insertion?: Insertion): OwnShare => ({ key, insertion });

function open({ dataKey, dataKeyId, sealingArn }: typeof one, envelope: Uint8Array) {
  return openBody(dataKey, dataKeyId, sealingArn, envelope);
}

/** Two envelopes of the same body. */
function pair(contentKey = new ContentKey(both), insertion?: Insertion): [Buffer, Buffer] {
  const [first, second] = envelopes(contentKey, [shareOf(one, insertion), shareOf(two)]);
  assert.ok(first && second);
  return [first, second];
}

const link = { before: 5, bytes: Buffer.from("inserted") };
const inserted = Buffer.concat([body.subarray(0, -5), link.bytes, body.subarray(-5)]);

// Goal: a queue's copy has what was inserted for it, at its place, and no other copy has. Method: at
// both ends and between; one that would lie outside is a bug.
test("what is inserted is one queue's alone", () => {
  for (const at of [0, 5, body.length]) {
    const [first, second] = pair(undefined, { ...link, before: body.length - at });
    const whole = Buffer.concat([body.subarray(0, at), link.bytes, body.subarray(at)]);
    assert.deepEqual(open(one, first), whole);
    assert.deepEqual(open(two, second), body);
  }
  const text = body.subarray(0, 20);
  assert.throws(() => checkInsertion(text, { ...link, before: 21 }), /belongs into the body/);
  assert.throws(() => checkInsertion(text, { before: 0, bytes: Buffer.alloc(40_000) }), /is short/);
  checkInsertion(text, { ...link, before: 20 });
});

// Goal: what a queue's copies always have is sealed once, and anything else anew. Method: own parts
// tell what was sealed again.
test("the same insertion in another body is not sealed again", () => {
  const contentKey = new ContentKey(both);
  const ownPartWith = (insertion: Insertion | undefined): string => {
    const [first] = pair(contentKey, insertion);
    const at = insertion ? body.length - insertion.before : 0;
    const bytes = insertion?.bytes ?? Buffer.alloc(0);
    const whole = Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)]);
    assert.deepEqual(open(one, first), whole);
    return partsOf(first).own.toString();
  };
  const given = { ...link, bytes: Buffer.from(link.bytes) };
  const sealed = ownPartWith(given);
  given.bytes.fill(0);
  assert.equal(ownPartWith(link), sealed, "also when the bytes that were given are gone");
  assert.notEqual(ownPartWith({ ...link, before: 4 }), sealed);
  assert.notEqual(ownPartWith({ ...link, bytes: Buffer.from("Inserted") }), sealed);
  const plain = ownPartWith(undefined);
  assert.equal(ownPartWith(undefined), plain);
  assert.notEqual(ownPartWith(link), plain);
});

// Goal: no changed envelope opens. Method: flip every bit, cut every length; the untouched
// envelope, which opens, is the twin.
for (const insertion of [undefined, link])
  test(`a flipped bit or a missing byte does not open, ${insertion ? "inserted" : "plain"}`, () => {
    const [envelope] = pair(undefined, insertion);
    for (let bit = 0; bit < envelope.length * 8; bit += 1) {
      const mask = 1 << (bit & 7);
      envelope[bit >> 3] = (envelope[bit >> 3] ?? 0) ^ mask;
      assert.equal(open(one, envelope), undefined, `bit ${bit}`);
      envelope[bit >> 3] = (envelope[bit >> 3] ?? 0) ^ mask;
    }
    for (let length = 0; length < envelope.length; length += 1) {
      assert.equal(open(one, envelope.subarray(0, length)), undefined);
    }
    assert.deepEqual(open(one, envelope), insertion ? inserted : body);
  });

// Goal: the parts of an envelope belong together. Method: key parts of another queue, of another
// content key, and an envelope that poses as one that is not shared, and the other way round.
test("substitution does not open", () => {
  const [first, second] = pair();
  const [other] = pair();
  const [ownPart, rest] = [first.subarray(0, ownBytes), first.subarray(ownBytes)];
  assert.equal(open(two, first), undefined, "another queue's");
  assert.deepEqual(open(two, second), body, "the twin");
  assert.deepEqual(Buffer.compare(rest, second.subarray(ownBytes)), 0, "one body part");
  const mixed = Buffer.concat([ownPart, other.subarray(ownBytes)]);
  assert.equal(open(one, mixed), undefined, "a body of another content key");
  const posing = Buffer.from(ownPart.subarray(3));
  posing[0] = 1;
  assert.equal(open(one, posing), undefined, "a content key is no body");
  const alone = Buffer.from(sealBody(one.dataKey, one.dataKeyId, one.sealingArn, body).bytes);
  assert.equal(open(one, asOwnPart(alone)), undefined, "a body is no content key");
  const short = Buffer.from(
    sealBody(one.dataKey, one.dataKeyId, one.sealingArn, Buffer.alloc(32)).bytes,
  );
  const posed = Buffer.concat([asOwnPart(short), rest]);
  assert.equal(open(one, posed), undefined, "nor one that is as long");
});

function asOwnPart(sealed: Buffer): Buffer {
  sealed[0] = 2;
  return Buffer.concat([Buffer.from([2, sealed.length >> 8, sealed.length & 255]), sealed]);
}

// Goal: a place is tied to both parts. Method: the digest of each envelope in turn.
test("the digest is of both parts", () => {
  const contentKey = new ContentKey(both);
  const [first, second] = pair(contentKey);
  const [again] = pair(contentKey);
  const [other] = pair(contentKey, link);
  const digests = [first, second, again, other].map(envelopeDigest);
  assert.equal(new Set(digests).size, 4);
  assert.equal(envelopeDigest(Buffer.from(first)), digests[0], "the twin");
  assert.deepEqual(first.subarray(0, ownBytes), again.subarray(0, ownBytes));
});

// Goal: nonces and content keys never repeat. Method: 1,000 bodies, 100 content keys.
test("nonces are unique under a content key, and content keys differ", () => {
  const contentKey = new ContentKey([one.dataKeyId]);
  const nonces = Array.from({ length: 1000 }, () =>
    envelopes(contentKey, [shareOf(one)])[0]?.toString("hex", ownBytes, ownBytes + 12),
  );
  assert.equal(new Set(nonces).size, 1000);
  const parts = Array.from({ length: 100 }, () => pair()[0]);
  assert.equal(new Set(parts.map((part) => part.toString("hex", 4, 32))).size, 100);
});

// Goal: a bounded number of key parts is remembered, whatever sets there are. Method: a small bound
// and more sets; the same key parts mean that the content key was remembered.
test("of too many content keys all are forgotten", () => {
  const keys = new ContentKeys(4);
  const first = keys.of(both);
  assert.equal(keys.of(both), first);
  assert.notEqual(keys.of(["a"]), first);
  keys.of(["b"]);
  assert.equal(keys.of(both), first, "four are allowed");
  keys.of(["c"]);
  assert.notEqual(keys.of(both), first);
});

// Goal: nothing stays of a content key once one of its data keys is dropped, also not with a data
// key that lives on. Method: the other data key is renewed again and again.
test("a dropped content key leaves no name", () => {
  const keys = new ContentKeys();
  keys.of(["stays"]);
  const before = keys.nameCount;
  for (const renewed of ["a", "b", "c"]) {
    keys.of(["stays", renewed]);
    assert.ok(keys.nameCount > before, "the twin");
    keys.drop(renewed);
    assert.equal(keys.nameCount, before);
  }
  keys.drop("stays");
  assert.equal(keys.nameCount, 0);
  keys.drop("unknown");
});
