import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openBody, roomAfter, roomBefore } from "../../src/crypto/envelope.ts";
import { HmacKey } from "../../src/crypto/hmac.ts";
import { LateSealer } from "../../src/crypto/late-seal.ts";
import { envelopeDigest, placeMac } from "../../src/crypto/rows.ts";
import type { Sealed } from "../../src/kernel/sealed.ts";

const dataKeyId = "0123456789abcdef0123456789abcdef";
const arn = "arn:aws:sqs:eu-central-1:123456789012:orders";
const share = { dataKeyId, sealingArn: arn, queueId: "queue", messageId: "message" };
const placesKey = Buffer.alloc(32, 9);

function roomWith(body: Uint8Array): Buffer {
  const room = Buffer.alloc(roomBefore + body.length + roomAfter);
  room.set(body, roomBefore);
  return room;
}

function sealerWith(dataKey: Uint8Array): LateSealer {
  const sealer = new LateSealer();
  sealer.keep(dataKeyId, dataKey);
  sealer.placesUnder(Buffer.from(placesKey));
  return sealer;
}

// Goal: what was sealed in its room is the envelope of the body, and the plaintext is gone from it.
// Method: property over bodies; the key that opens was copied before.
test("a room becomes the envelope of its body", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 3000 }), (body) => {
      const dataKey = Buffer.alloc(32, 7);
      const sealer = sealerWith(Buffer.from(dataKey));
      const room = roomWith(body);
      assert.equal(sealer.seal(room, share)?.sealed.bytes, room, "in place");
      assert.equal(room.includes(Buffer.from(body)), false);
      assert.deepEqual(openBody(dataKey, dataKeyId, arn, room), Buffer.from(body));
      assert.equal(openBody(dataKey, dataKeyId, `${arn}x`, room), undefined);
    }),
  );
});

// Goal: a data key that was dropped seals nothing and is wiped, as are all at the end; one that
// comes again takes the place of the one before. Method: by example, with the buffers in hand.
test("a dropped key seals nothing, and its bytes are gone", () => {
  const [first, second, other] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
  assert.ok(first && second && other);
  const sealer = sealerWith(first);
  sealer.keep(dataKeyId, second);
  assert.deepEqual(first, Buffer.alloc(32), "another one came for the same id");
  sealer.keep("another id", other);
  sealer.drop(dataKeyId);
  assert.deepEqual(second, Buffer.alloc(32));
  const room = roomWith(Buffer.from("plain"));
  const before = Buffer.from(room);
  assert.equal(sealer.seal(room, share), undefined);
  assert.deepEqual(room, before);
  assert.notDeepEqual(other, Buffer.alloc(32), "the twin");
  sealer.wipe();
  assert.deepEqual(other, Buffer.alloc(32));
});

// Goal: a place is authenticated as `placeMac` does it, and its key is taken over.
test("places are those of the ring's key", () => {
  const sealer = new LateSealer();
  sealer.keep(dataKeyId, Buffer.alloc(32, 7));
  const seal = () => sealer.seal(roomWith(Buffer.from("body")), share);
  assert.throws(seal, /once their key has come/);
  const key = Buffer.from(placesKey);
  sealer.placesUnder(key);
  assert.deepEqual(key, Buffer.alloc(32), "taken over");
  const placed = seal();
  assert.ok(placed);
  assert.deepEqual(placed.placeMac, macOf("queue", "message", placed.sealed.bytes));
  sealer.keep(dataKeyId, Buffer.alloc(32, 7));
  sealer.wipe();
  sealer.keep(dataKeyId, Buffer.alloc(32, 7));
  assert.throws(seal, /once their key has come/);
});

function macOf(queueId: string, messageId: string, envelope: Uint8Array): Buffer {
  return placeMac(new HmacKey(placesKey), queueId, messageId, envelopeDigest(envelope));
}

const ids = ["1", "2", "3"].map((digit) => digit.repeat(32));
const shares = ids.map((id, index) => ({
  dataKeyId: id,
  sealingArn: `${arn}-${index}`,
  queueId: `queue-${index}`,
  messageId: `message-${index}`,
}));
const keyAt = (index: number) => Buffer.alloc(32, index + 1);

function sealerOfThree(): LateSealer {
  const sealer = sealerWith(Buffer.alloc(32, 7));
  for (const [index, id] of ids.entries()) sealer.keep(id, keyAt(index));
  return sealer;
}

/** As a store gives it back. */
function whole({ bytes, bodyPart = new Uint8Array(0) }: Sealed): Buffer {
  return Buffer.concat([bytes, bodyPart]);
}

// Goal: a shared body is sealed once, opens under each of its data keys as that queue's and under
// no other, has its place authenticated for each message, and leaves no plaintext. Method: property
// over bodies.
test("a shared body is sealed once for all", () => {
  const sealer = sealerOfThree();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 3000 }), (body) => {
      const room = roomWith(body);
      const placed = sealer.sealShared(room, shares);
      assert.ok(placed);
      assert.equal(placed.length, 3);
      assert.equal(room.includes(Buffer.from(body)), false);
      placed.forEach(({ sealed, placeMac: mac }, index) => {
        const envelope = whole(sealed);
        const at = shares[index];
        assert.ok(at);
        assert.ok(sealed.bytes.length < 90, "a content key and no body");
        assert.equal(sealed.bodyPart, placed[0]?.sealed.bodyPart, "one array");
        assert.deepEqual(
          openBody(keyAt(index), at.dataKeyId, at.sealingArn, envelope),
          Buffer.from(body),
        );
        assert.equal(openBody(keyAt(index + 1), at.dataKeyId, at.sealingArn, envelope), undefined);
        assert.equal(openBody(keyAt(index), at.dataKeyId, arn, envelope), undefined);
        assert.deepEqual(mac, macOf(at.queueId, at.messageId, envelope));
      });
    }),
  );
});

// Goal: a content key serves one set of data keys and no longer than any of them is held. Method:
// key parts tell content keys apart: sealed once, they are the same bytes.
test("a content key goes with each of its data keys", () => {
  const sealer = sealerOfThree();
  const partsOf = (of: typeof shares) =>
    sealer.sealShared(roomWith(Buffer.from("body")), of)?.map(({ sealed }) => sealed.bytes);
  const first = partsOf(shares);
  assert.deepEqual(partsOf(shares), first, "the same set, the same content key");
  const fewer = partsOf(shares.slice(0, 2));
  assert.notDeepEqual(fewer?.[0], first?.[0], "another set");
  sealer.keep(ids[2] ?? "", keyAt(2));
  assert.notDeepEqual(partsOf(shares)?.[0], first?.[0], "a data key of the set came anew");
  assert.deepEqual(partsOf(shares.slice(0, 2)), fewer, "which the other set has not");
  sealer.drop(ids[1] ?? "");
  const room = roomWith(Buffer.from("body"));
  const before = Buffer.from(room);
  assert.equal(sealer.sealShared(room, shares), undefined);
  assert.deepEqual(room, before, "as it was");
});
