import { deepEqual, equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { aeadSeal } from "../../src/crypto/aead.ts";
import { blobIdentity, openBlob, sealBlob } from "../../src/crypto/blob.ts";
import { canonicalContext } from "../../src/crypto/context.ts";
import { deriveKey } from "../../src/crypto/derive.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import { runPython, withoutPython } from "../harness/python.ts";

// Goal: derivation is SP 800-108's, sealing is SP 800-38D's, and a KMS blob is what its docstring
// says, for any input. Method: python's `cryptography` derives, seals and opens the same from the
// standards' own parameters.

const skip = withoutPython;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex") || "-";

const common = `
import sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.kbkdf import CounterLocation, KBKDFHMAC, Mode
def raw(text): return b"" if text == "-" else bytes.fromhex(text)
def derive(key, label, context, length):
    kdf = KBKDFHMAC(algorithm=hashes.SHA256(), mode=Mode.CounterMode, length=length, rlen=4,
        llen=4, location=CounterLocation.BeforeFixed, label=label, context=context, fixed=None)
    return kdf.derive(key)
`;

test("SP 800-108 counter mode with HMAC-SHA-256", { skip }, () => {
  const cases = [1, 16, 32, 33, 64, 100].flatMap((length) =>
    [0, 1, 55, 200].map((contextBytes) => ({
      length,
      key: randomBytes(32),
      label: "sealpost.test",
      context: randomBytes(contextBytes),
    })),
  );
  const program = `${common}
for line in sys.stdin.read().split("\\n"):
    length, key, label, context = line.split(" ")
    print(derive(raw(key), label.encode(), raw(context), int(length)).hex())
`;
  const lines = cases.map(
    ({ length, key, label, context }) => `${length} ${hex(key)} ${label} ${hex(context)}`,
  );
  const ours = cases.map(({ length, key, label, context }) =>
    hex(deriveKey(key, label, context, length)),
  );
  deepEqual(ours, runPython(program, lines));
});

test("SP 800-38D: AES-256-GCM with 96-bit nonces", { skip }, () => {
  const cases = [0, 1, 15, 16, 17, 4096].flatMap((length) =>
    [0, 1, 16, 1000].map((associatedBytes) => ({
      key: randomBytes(32),
      nonce: randomBytes(12),
      associated: randomBytes(associatedBytes),
      plaintext: randomBytes(length),
    })),
  );
  const program = `${common}
for line in sys.stdin.read().split("\\n"):
    key, nonce, associated, plaintext = [raw(text) for text in line.split(" ")]
    print(AESGCM(key).encrypt(nonce, plaintext, associated).hex())
`;
  const lines = cases.map(({ key, nonce, associated, plaintext }) =>
    [key, nonce, associated, plaintext].map(hex).join(" "),
  );
  const ours = cases.map(({ key, nonce, associated, plaintext }) =>
    hex(aeadSeal(key, nonce, associated, plaintext)),
  );
  deepEqual(ours, runPython(program, lines));
});

test("a KMS blob is what it says it is", { skip }, () => {
  const material = randomBytes(32);
  const key = {
    accountId: "123456789012",
    keyId: "0b7c2f3e-1111-4222-8333-abcdefabcdef",
    materialId: randomBytes(32).toString("hex"),
  };
  const contextBytes = canonicalContext({ ward: "7", Ärztin: "ü" });
  const plaintext = Buffer.from("patient record");
  const request = { material, identity: blobIdentity(key), contextBytes, random: systemRandom };
  const blob = sealBlob({ ...request, plaintext });
  const program = `${common}
material, blob = [raw(text) for text in sys.stdin.read().split(" ")]
derivation, iv, commitment, sealed = blob[:72], blob[72:84], blob[84:116], blob[116:]
assert derive(material, b"commit", derivation, 32) == commitment
pairs = sorted([("ward".encode(), b"7"), ("Ärztin".encode(), "ü".encode())])
context = b"".join(len(t).to_bytes(2, "big") + t for pair in pairs for t in pair)
call = AESGCM(derive(material, b"encrypt", derivation, 32))
opened = call.decrypt(iv, sealed, blob[:116] + context)
print(blob[:1].hex(), int.from_bytes(blob[1:7], "big"), blob[8:24].hex(), blob[24:56].hex())
print(opened.decode())
`;
  deepEqual(runPython(program, [`${hex(material)} ${hex(blob)}`]), [
    `b1 ${key.accountId} ${key.keyId.replaceAll("-", "")} ${key.materialId}`,
    String(plaintext),
  ]);
  equal(String(openBlob({ ...request, blob })), String(plaintext));
});
