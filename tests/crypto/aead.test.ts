import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aeadOpen, aeadSeal } from "../../src/crypto/aead.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** Cases 13 to 16 of the GCM submission to NIST, and one of NIST's gcmEncryptExtIV256.rsp. */
const vectors = [
  {
    key: "00".repeat(32),
    iv: "00".repeat(12),
    aad: "",
    plaintext: "",
    ciphertext: "",
    tag: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    key: "00".repeat(32),
    iv: "00".repeat(12),
    aad: "",
    plaintext: "00".repeat(16),
    ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308".repeat(2),
    iv: "cafebabefacedbaddecaf888",
    aad: "",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    ciphertext:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
    tag: "b094dac5d93471bdec1a502270e3cc6c",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308".repeat(2),
    iv: "cafebabefacedbaddecaf888",
    aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    ciphertext:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
    tag: "76fc6ece0f4e1768cddf8853bb2d551b",
  },
  {
    key: "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
    iv: "516c33929df5a3284ff463d7",
    aad: "",
    plaintext: "",
    ciphertext: "",
    tag: "bdc1ac884d332457a1d2664f168c76f0",
  },
] as const;

// Goal: the AEAD is AES-256-GCM with 128-bit tags. Method: published vectors, both directions.
test("published GCM vectors", () => {
  for (const { key, iv, aad, plaintext, ciphertext, tag } of vectors) {
    const sealed = aeadSeal(hex(key), hex(iv), hex(aad), hex(plaintext));
    assert.equal(sealed.toString("hex"), ciphertext + tag);
    assert.deepEqual(aeadOpen(hex(key), hex(iv), hex(aad), sealed), hex(plaintext));
  }
});

// Goal: nothing that was changed opens. Method: flip every bit of every part in turn; the
// untouched parts, which open, are the twin.
test("a flipped bit anywhere does not open", () => {
  const parts = [Buffer.alloc(32, 1), Buffer.alloc(12, 2), Buffer.from("aad")] as const;
  const plaintext = Buffer.from("patient record");
  const all = [...parts, aeadSeal(...parts, plaintext)] as const;
  assert.deepEqual(aeadOpen(...all), plaintext);
  for (const part of all) {
    for (let bit = 0; bit < part.length * 8; bit += 1) {
      const mask = 1 << (bit & 7);
      part[bit >> 3] = (part[bit >> 3] ?? 0) ^ mask;
      assert.equal(aeadOpen(...all), undefined);
      part[bit >> 3] = (part[bit >> 3] ?? 0) ^ mask;
    }
  }
  assert.deepEqual(aeadOpen(...all), plaintext);
});

// Goal: a shorter tag is no tag. Method: every truncation of a sealed text.
test("no truncation opens", () => {
  const [key, nonce, aad] = [Buffer.alloc(32), Buffer.alloc(12), Buffer.alloc(0)];
  const sealed = aeadSeal(key, nonce, aad, Buffer.from("record"));
  for (let length = 0; length < sealed.length; length += 1) {
    assert.equal(aeadOpen(key, nonce, aad, sealed.subarray(0, length)), undefined);
  }
});

// Goal: what was sealed opens, whatever it is. Method: property.
test("round trip", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytes(32), bytes(12), fc.uint8Array(), fc.uint8Array(), (key, nonce, aad, text) => {
      const opened = aeadOpen(key, nonce, aad, aeadSeal(key, nonce, aad, text));
      assert.deepEqual(opened, Buffer.from(text));
    }),
  );
});
