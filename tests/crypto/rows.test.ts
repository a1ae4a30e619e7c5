import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HmacKey } from "../../src/crypto/hmac.ts";
import {
  envelopeDigest,
  placeMac,
  placeMacBytes,
  placeMacHolds,
  rowMac,
  rowMacHolds,
} from "../../src/crypto/rows.ts";

const key = Buffer.alloc(32, 5);
const record = {
  accountId: "123456789012",
  region: "us-east-1",
  kind: "kms.key",
  id: "0b7c2f3e",
  version: 7,
  content: '{"Policy":"…"}',
};

// Goal: a MAC holds for its record and key only. Method: change every field, the key and the MAC.
test("row MAC covers every field", () => {
  const mac = rowMac(key, record);
  assert.equal(mac.length, 32);
  assert.ok(rowMacHolds(key, { ...record, mac }));
  const changes = [
    { accountId: "123456789013" },
    { region: "" },
    { kind: "kms.alias" },
    { id: "0b7c2f3f" },
    { version: 8 },
    { content: '{"Policy":"..."}' },
    { mac: Buffer.alloc(32) },
    { mac: mac.subarray(0, 31) },
    { mac: Buffer.alloc(0) },
  ];
  for (const change of changes) assert.ok(!rowMacHolds(key, { ...record, mac, ...change }));
  assert.ok(!rowMacHolds(Buffer.alloc(32, 6), { ...record, mac }));
});

// Goal: text cannot wander from one field into the next. Method: property over fields of few
// letters, among them those that the encoding itself uses.
test("row encoding is unambiguous", () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\\"), maxLength: 2 });
  const records = fc.record({
    accountId: field,
    region: field,
    kind: field,
    id: field,
    version: fc.integer({ min: 0, max: 2 }),
    content: field,
  });
  fc.assert(
    fc.property(records, records, (left, right) => {
      const same = JSON.stringify(left) === JSON.stringify(right);
      assert.equal(rowMac(key, left).equals(rowMac(key, right)), same);
    }),
    { numRuns: 500 },
  );
});

// Goal: a body's place is bound to queue, message and envelope. Method: change one at a time, move
// text across the border of the two ids.
test("place MAC", () => {
  const digest = envelopeDigest(Buffer.from("envelope"));
  const places = new HmacKey(key);
  const mac = placeMac(places, "queue-1", "message-1", digest);
  assert.equal(mac.length, placeMacBytes);
  assert.ok(placeMacHolds(places, "queue-1", "message-1", digest, mac));
  const other = envelopeDigest(Buffer.from("Envelope"));
  assert.ok(!placeMacHolds(places, "queue-2", "message-1", digest, mac));
  assert.ok(!placeMacHolds(places, "queue-1", "message-2", digest, mac));
  assert.ok(!placeMacHolds(places, "queue-1", "message-1", other, mac));
  assert.ok(!placeMacHolds(places, "queue-1m", "essage-1", digest, mac));
  assert.ok(!placeMacHolds(places, "queue-1", "message-1", digest, mac.subarray(1)));
  const anotherKey = new HmacKey(Buffer.alloc(32));
  assert.ok(!placeMacHolds(anotherKey, "queue-1", "message-1", digest, mac));
});
