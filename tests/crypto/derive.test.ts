import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { counterMode, Derivation, deriveKey, hkdf } from "../../src/crypto/derive.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

// Goal: the KDF is SP 800-108 counter mode. Method: a CAVP vector (KDFCTR_gen, HMAC_SHA256, counter
// before the fixed input, 32-bit counter, L = 128).
test("SP 800-108 counter mode vector", () => {
  const key = hex("dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0");
  const fixedInput = hex(
    "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b8" +
      "64a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac",
  );
  const output = counterMode(key, fixedInput, 16);
  assert.equal(output.toString("hex"), "10621342bfb0fd40046c0e29f2cfdbf0");
});

// Goal: the fixed input is label ‖ 0 ‖ context ‖ length in bits, over several blocks too. Method:
// the definition written out again with HMAC alone.
test("fixed input and further blocks as in SP 800-108", () => {
  const [key, context] = [Buffer.alloc(32, 7), Buffer.from("context")];
  const tail = Buffer.concat([Buffer.from("label\0"), context, hex("00000200")]);
  const block = (n: number) =>
    createHmac("sha256", key)
      .update(Buffer.from([0, 0, 0, n]))
      .update(tail)
      .digest();
  const expected = Buffer.concat([block(1), block(2)]);
  assert.deepEqual(deriveKey(key, "label", context, 64), expected);
});

// Goal: label, context and length each make another key, and none can pose as its neighbour.
test("labels and contexts separate keys", () => {
  const key = Buffer.alloc(32, 7);
  const outputs = [
    deriveKey(key, "encrypt", Buffer.from("ab")),
    deriveKey(key, "commit", Buffer.from("ab")),
    deriveKey(key, "encrypta", Buffer.from("b")),
    deriveKey(key, "encrypt", Buffer.from("ab"), 33).subarray(0, 32),
  ];
  assert.equal(new Set(outputs.map((output) => output.toString("hex"))).size, outputs.length);
  assert.throws(() => deriveKey(key, "encrypt\0a", Buffer.from("b")), /zero byte/);
});

// Goal: the way of the KMS calls derives what the plain one does, again and again, whatever came
// before, and keeps no key. Method: random keys and contexts through both.
test("a derivation that is used again makes the same keys", () => {
  const derivation = new Derivation("encrypt", 72);
  for (let round = 0; round < 50; round += 1) {
    const [key, context] = [randomBytes(32), randomBytes(72)];
    const expected = deriveKey(key, "encrypt", context);
    assert.deepEqual(derivation.key(key, context), expected);
    assert.deepEqual(Buffer.from(derivation.shown(key, context), "latin1"), expected);
  }
  assert.throws(() => derivation.key(randomBytes(31), randomBytes(72)), /32 bytes/);
  assert.throws(() => derivation.key(randomBytes(32), randomBytes(71)), /one length/);
});

// Goal: HKDF is RFC 5869 with SHA-256. Method: its test cases 1 to 3.
test("RFC 5869 vectors", () => {
  const bytes = (from: number, to: number) =>
    Buffer.from(Array.from({ length: to - from + 1 }, (_, index) => from + index));
  const first = hkdf(Buffer.alloc(22, 0x0b), bytes(0, 12), bytes(0xf0, 0xf9), 42);
  assert.equal(
    first.toString("hex"),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  );
  const second = hkdf(bytes(0, 0x4f), bytes(0x60, 0xaf), bytes(0xb0, 0xff), 82);
  assert.equal(
    second.toString("hex"),
    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
      "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  );
  const third = hkdf(Buffer.alloc(22, 0x0b), "", "", 42);
  assert.equal(
    third.toString("hex"),
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  );
});
