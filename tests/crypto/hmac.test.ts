// Goal: HMAC-SHA-256 from two hashes is the standard's. Method: the cases of RFC 4231 that have keys
// of at most one block, random texts against node:crypto, and what must not be possible.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { HmacKey, sameHex } from "../../src/crypto/hmac.ts";

const published = [
  {
    key: Buffer.alloc(20, 0x0b),
    data: Buffer.from("Hi There"),
    mac: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    key: Buffer.from("Jefe"),
    data: Buffer.from("what do ya want for nothing?"),
    mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
  {
    key: Buffer.alloc(20, 0xaa),
    data: Buffer.alloc(50, 0xdd),
    mac: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  },
];

for (const [index, { key, data, mac }] of published.entries()) {
  test(`RFC 4231, case ${index + 1}`, () => {
    assert.equal(new HmacKey(key).hex("", data.toString("hex")), mac);
  });
}

test("texts and bytes of any length, as node:crypto has them", () => {
  const key = randomBytes(32);
  const mine = new HmacKey(key);
  const text = fc.string({ unit: "binary", maxLength: 900 }).map((one) => one.toWellFormed());
  fc.assert(
    fc.property(text, fc.uint8Array({ maxLength: 900 }), (first, bytes) => {
      const expected = createHmac("sha256", key).update(first).update(bytes).digest("hex");
      assert.equal(mine.hex(first, Buffer.from(bytes).toString("hex")), expected);
    }),
  );
});

test("a wiped key makes nothing; a key longer than a block is a bug", () => {
  const key = new HmacKey(randomBytes(32));
  key.wipe();
  assert.throws(() => key.hex("text"), /wiped/);
  assert.throws(() => new HmacKey(randomBytes(65)), /hashed first/);
});

test("texts of digits are the same or not", () => {
  const one = "a".repeat(64);
  assert.ok(sameHex(one, one));
  for (let at = 0; at < 64; at++) {
    assert.ok(!sameHex(one, `${one.slice(0, at)}b${one.slice(at + 1)}`));
  }
  assert.ok(!sameHex(one, one.slice(1)));
});
