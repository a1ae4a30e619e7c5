import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openBody, roomAfter, roomBefore } from "../../src/crypto/envelope.ts";
import { HmacKey } from "../../src/crypto/hmac.ts";
import { LateSealer } from "../../src/crypto/late-seal.ts";
import { envelopeDigest, placeMac } from "../../src/crypto/rows.ts";

const dataKeyId = "0123456789abcdef0123456789abcdef";
const arn = "arn:aws:sqs:eu-central-1:123456789012:orders";

function roomWith(body: Uint8Array): Buffer {
  const room = Buffer.alloc(roomBefore + body.length + roomAfter);
  room.set(body, roomBefore);
  return room;
}

function sealerWith(dataKey: Uint8Array): LateSealer {
  const sealer = new LateSealer();
  sealer.keep(dataKeyId, dataKey);
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
      const sealed = sealer.seal(room, dataKeyId, arn);
      assert.equal(sealed?.bytes, room, "in place");
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
  assert.equal(sealer.seal(room, dataKeyId, arn), undefined);
  assert.deepEqual(room, before);
  assert.notDeepEqual(other, Buffer.alloc(32), "the twin");
  sealer.wipe();
  assert.deepEqual(other, Buffer.alloc(32));
});

// Goal: a place is authenticated as `placeMac` does it, and its key is taken over.
test("places are those of the ring's key", () => {
  const sealer = sealerWith(Buffer.alloc(32, 7));
  const sealed = sealer.seal(roomWith(Buffer.from("body")), dataKeyId, arn);
  assert.ok(sealed);
  assert.throws(() => sealer.place("queue", "message", sealed), /once their key has come/);
  const key = Buffer.alloc(32, 9);
  const expected = placeMac(new HmacKey(key), "queue", "message", envelopeDigest(sealed.bytes));
  sealer.placesUnder(key);
  assert.deepEqual(sealer.place("queue", "message", sealed), expected);
  assert.deepEqual(key, Buffer.alloc(32), "taken over");
  sealer.wipe();
  assert.throws(() => sealer.place("queue", "message", sealed), /once their key has come/);
});
