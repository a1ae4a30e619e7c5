import { deepEqual, equal, ok } from "node:assert/strict";
import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { test } from "node:test";
import { aeadOpen, aeadSeal } from "../../src/crypto/aead.ts";
import { counterMode } from "../../src/crypto/derive.ts";
import { openImport } from "../../src/crypto/import.ts";
import { macOf } from "../../src/crypto/signature.ts";
import { casesOf, hexOf, placeOf, withoutNist } from "./nist.ts";

// Goal: AES-GCM (SP 800-38D), key derivation (SP 800-108), HMAC (FIPS 198) and key wrapping with
// padding (SP 800-38F) are NIST's. Method: all cases of its files with our sizes through the layer
// that KMS stands on: blobs have keys of their own, so none of them can be given from outside.

const skip = withoutNist;
const isOurs = ({ members }: { members: Readonly<Record<string, string>> }) =>
  members.IVlen === "96" && members.Taglen === "128";

test("AES-256-GCM: encryption", { skip }, () => {
  const cases = casesOf("mac/gcmtestvectors/gcmEncryptExtIV256.rsp", "Key", "CT", "Tag");
  const ours = cases.filter(isOurs);
  for (const one of ours) {
    const [key, nonce, associated] = [hexOf(one, "Key"), hexOf(one, "IV"), hexOf(one, "AAD")];
    const sealed = Buffer.concat([hexOf(one, "CT"), hexOf(one, "Tag")]);
    deepEqual(aeadSeal(key, nonce, associated, hexOf(one, "PT")), sealed, placeOf(one));
  }
  ok(ours.length >= 300);
});

test("AES-256-GCM: decryption", { skip }, () => {
  const seen = { opened: 0, refused: 0 };
  for (const one of casesOf("mac/gcmtestvectors/gcmDecrypt256.rsp", "Key", "CT", "Tag")) {
    if (!isOurs(one)) continue;
    const fails = Object.hasOwn(one.members, "FAIL");
    const sealed = Buffer.concat([hexOf(one, "CT"), hexOf(one, "Tag")]);
    const opened = aeadOpen(hexOf(one, "Key"), hexOf(one, "IV"), hexOf(one, "AAD"), sealed);
    deepEqual(opened, fails ? undefined : hexOf(one, "PT"), placeOf(one));
    seen[fails ? "refused" : "opened"] += 1;
  }
  ok(seen.opened > 100 && seen.refused > 100);
});

test("SP 800-108 in counter mode", { skip }, () => {
  const file = "KBKDF800-108/CounterMode/KDFCTR_gen.rsp";
  const ours = casesOf(file, "KI", "FixedInputData", "KO").filter(
    ({ members }) =>
      members.PRF === "HMAC_SHA256" &&
      members.CTRLOCATION === "BEFORE_FIXED" &&
      members.RLEN === "32_BITS",
  );
  for (const one of ours) {
    const length = Number(one.members.L) / 8;
    const made = counterMode(hexOf(one, "KI"), hexOf(one, "FixedInputData"), length);
    deepEqual(made, hexOf(one, "KO"), placeOf(one));
  }
  ok(ours.length >= 40);
});

test("HMAC", { skip }, () => {
  const specs = { "28": "HMAC_224", "32": "HMAC_256", "48": "HMAC_384", "64": "HMAC_512" } as const;
  let count = 0;
  for (const one of casesOf("mac/hmactestvectors/HMAC.rsp", "Key", "Msg", "Mac")) {
    const spec = specs[one.members.L as keyof typeof specs];
    if (spec === undefined) continue;
    const made = macOf(spec, hexOf(one, "Key"), hexOf(one, "Msg"));
    // Some ask for the beginning only.
    deepEqual(made.subarray(0, Number(one.members.Tlen)), hexOf(one, "Mac"), placeOf(one));
    count += 1;
  }
  ok(count > 1000);
});

// An import wraps material under an AES key, and that one under RSA: the AES key is NIST's here.
test("AES key wrap with padding", { skip }, () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const token = {
    algorithm: "RSA_AES_KEY_WRAP_SHA_256",
    validToMs: 0,
    privateKey: privateKey.export({ type: "pkcs8", format: "der" }),
  };
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const seen = { opened: 0, refused: 0 };
  for (const one of casesOf("mac/kwtestvectors/KWP_AD_256.txt", "K", "C")) {
    const wrapped = publicEncrypt({ key: publicKey, padding, oaepHash: "sha256" }, hexOf(one, "K"));
    const opened = openImport(token, Buffer.concat([wrapped, hexOf(one, "C")]));
    const fails = Object.hasOwn(one.members, "FAIL");
    if (fails) equal(opened, undefined, placeOf(one));
    else deepEqual(opened, hexOf(one, "P"), placeOf(one));
    seen[fails ? "refused" : "opened"] += 1;
  }
  ok(seen.opened > 100 && seen.refused > 20);
});
