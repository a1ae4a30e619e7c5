import { equal } from "node:assert/strict";
import { test } from "node:test";
import { macOf } from "../../src/crypto/signature.ts";

// Goal: the MACs of KMS are HMAC. Method: test case 2 of RFC 4231 §4.3, through the layer, since its
// key is shorter than those that can be imported. (Other standards' numbers stand beside what they
// are about: `kms-vectors`, and `tests/crypto`.)
const answers = {
  HMAC_224: "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
  HMAC_256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  HMAC_384:
    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e" +
    "8e2240ca5e69e2c78b3239ecfab21649",
  HMAC_512:
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
} as const;

test("HMAC: RFC 4231", () => {
  const [key, message] = ["Jefe", "what do ya want for nothing?"].map((text) => Buffer.from(text));
  if (!key || !message) throw new Error("two texts");
  for (const [spec, answer] of Object.entries(answers)) {
    equal(macOf(spec as keyof typeof answers, key, message).toString("hex"), answer, spec);
  }
});
