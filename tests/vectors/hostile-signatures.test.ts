import { equal } from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { after, test } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { importedKey } from "../harness/import-key.ts";
import { refusal, startTestServer } from "../harness/server.ts";

// Goal: what looks like a signature or a public key and is none is refused, on every curve, for
// messages and digests alike. Method: take a genuine one apart and put it together wrongly, in the
// ways in which libraries have been wrong before; the genuine one, which passes, is the twin.

const server = await startTestServer();
after(() => server.stop());
const { kms } = server.rootClients;

const curves = [
  {
    KeySpec: "ECC_NIST_P256",
    SigningAlgorithm: "ECDSA_SHA_256",
    order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  },
  {
    KeySpec: "ECC_NIST_P384",
    SigningAlgorithm: "ECDSA_SHA_384",
    order:
      "ffffffffffffffffffffffffffffffffffffffffffffffff" +
      "c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  },
  {
    KeySpec: "ECC_NIST_P521",
    SigningAlgorithm: "ECDSA_SHA_512",
    order:
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa" +
      "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
  },
  {
    KeySpec: "ECC_SECG_P256K1",
    SigningAlgorithm: "ECDSA_SHA_256",
    order: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
  },
] as const;

const message = Buffer.from("patient record");

for (const { KeySpec, SigningAlgorithm, order } of curves) {
  test(`${KeySpec}: what is no signature`, async () => {
    const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage: "SIGN_VERIFY" });
    const asked = { KeyId: KeyMetadata?.KeyId ?? "", SigningAlgorithm };
    const digest = createHash(`sha${SigningAlgorithm.slice(-3)}`)
      .update(message)
      .digest();
    const ways = [
      { Message: message, MessageType: "RAW" },
      { Message: digest, MessageType: "DIGEST" },
    ] as const;
    const signed = await kms.sign({ ...asked, ...ways[0] });
    const genuine = Buffer.from(signed.Signature ?? []);
    const [r, s] = numbersOf(genuine);
    const n = BigInt(`0x${order}`);
    // The other root is a signature too: AWS does not ask for the lower one.
    for (const good of [genuine, ofNumbers(r, n - s)]) {
      for (const how of ways) {
        equal((await kms.verify({ ...asked, ...how, Signature: good })).SignatureValid, true);
      }
    }
    for (const [name, Signature] of Object.entries(wrongSignatures(genuine, r, s, n))) {
      for (const how of ways) {
        const refused = await refusal(kms.verify({ ...asked, ...how, Signature }));
        equal(refused?.name, "KMSInvalidSignatureException", `${how.MessageType} ${name}`);
      }
    }
  });
}

function wrongSignatures(genuine: Buffer, r: bigint, s: bigint, n: bigint) {
  const [rDer, sDer] = [integer(r), integer(s)];
  const body = Buffer.concat([rDer, sDer]);
  const tagged = (tag: number, bytes: Buffer) => Buffer.concat([Buffer.of(tag), rest(bytes)]);
  const rest = (bytes: Buffer) => bytes.subarray(1);
  return {
    "r is zero": ofNumbers(0n, s),
    "s is zero": ofNumbers(r, 0n),
    "both zero": ofNumbers(0n, 0n),
    "both one": ofNumbers(1n, 1n),
    "s is the order": ofNumbers(r, n),
    "r is the order": ofNumbers(n, s),
    "r beyond the order": ofNumbers(r + n, s),
    "s beyond the order": ofNumbers(r, s + n),
    "r negated": ofNumbers(n - r, s),
    "r and s swapped": ofNumbers(s, r),
    "r a little more": ofNumbers(r + 1n, s),
    "r below zero": sequence(Buffer.concat([negative(n - r), sDer])),
    "zero written without a byte": sequence(Buffer.concat([Buffer.of(2, 0), sDer])),
    "a needless zero in r": sequence(Buffer.concat([padded(rDer), sDer])),
    "a needless zero in s": sequence(Buffer.concat([rDer, padded(sDer)])),
    "r as an octet string": sequence(Buffer.concat([tagged(4, rDer), sDer])),
    "s as a bit string": sequence(Buffer.concat([rDer, tagged(3, sDer)])),
    "a set": tagged(0x31, genuine),
    "a long form of the length": longForm(genuine),
    "no definite length": Buffer.concat([Buffer.of(0x30, 0x80), body, Buffer.alloc(2)]),
    "a third number": sequence(Buffer.concat([body, integer(1n)])),
    "one number": sequence(rDer),
    "a sequence around it": sequence(genuine),
    "bytes after it": Buffer.concat([genuine, Buffer.of(5, 0)]),
    "a byte before it": Buffer.concat([Buffer.of(0), genuine]),
    "cut by one": genuine.subarray(0, -1),
    "cut to one": genuine.subarray(0, 1),
    "empty sequence": sequence(Buffer.alloc(0)),
    "the numbers alone": body,
    "as IEEE P1363 has it": Buffer.concat([fixed(r, n), fixed(s, n)]),
  };
}

test("Ed25519: what is no signature", async () => {
  const KeySpec = "ECC_NIST_EDWARDS25519";
  const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage: "SIGN_VERIFY" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  const digest = createHash("sha512").update(message).digest();
  for (const how of [
    { SigningAlgorithm: "ED25519_SHA_512", MessageType: "RAW", Message: message },
    { SigningAlgorithm: "ED25519_PH_SHA_512", MessageType: "DIGEST", Message: digest },
  ] as const) {
    const signed = await kms.sign({ KeyId, ...how });
    const genuine = Buffer.from(signed.Signature ?? []);
    equal((await kms.verify({ KeyId, ...how, Signature: genuine })).SignatureValid, true);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const [point, scalar] = [genuine.subarray(0, 32), genuine.subarray(32)];
    const s = BigInt(`0x${Buffer.from(scalar).reverse().toString("hex")}`);
    const little = (value: bigint) =>
      Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
    const flipped = (at: number) => {
      const bytes = Buffer.from(genuine);
      bytes[at] = (bytes[at] ?? 0) ^ 0x80;
      return bytes;
    };
    const cases: Readonly<Record<string, Buffer>> = {
      "scalar and order": Buffer.concat([point, little(s + order)]),
      "scalar is zero": Buffer.concat([point, Buffer.alloc(32)]),
      "scalar is the order": Buffer.concat([point, little(order)]),
      "sign of the point": flipped(31),
      "top bit of the scalar": flipped(63),
      "point is none": Buffer.concat([Buffer.alloc(32, 0xff), scalar]),
      "point of order one": Buffer.concat([little(1n), scalar]),
      "cut by one": genuine.subarray(0, -1),
      "a byte more": Buffer.concat([genuine, Buffer.alloc(1)]),
      "point alone": point,
    };
    for (const [name, Signature] of Object.entries(cases)) {
      const refused = await refusal(kms.verify({ KeyId, ...how, Signature }));
      equal(refused?.name, "KMSInvalidSignatureException", `${how.SigningAlgorithm} ${name}`);
    }
  }
});

const agreements = [
  ["ECC_NIST_P256", "P-256", "P-384"],
  ["ECC_NIST_P384", "P-384", "P-521"],
  ["ECC_NIST_P521", "P-521", "P-256"],
] as const;

for (const [KeySpec, namedCurve, otherCurve] of agreements) {
  test(`${KeySpec}: what is no public key to agree with`, async () => {
    const spki = (curve: string, paramEncoding: "named" | "explicit") =>
      generateKeyPairSync("ec", {
        namedCurve: curve,
        paramEncoding,
        publicKeyEncoding: { type: "spki", format: "der" },
        privateKeyEncoding: { type: "pkcs8", format: "der" },
      });
    const own = spki(namedCurve, "named");
    const KeyId = await importedKey(kms, KeySpec, "KEY_AGREEMENT", own.privateKey);
    const genuine = spki(namedCurve, "named").publicKey;
    equal(await agreement(kms, KeyId, genuine), "agreed");
    const edit = (at: number, value: number, from = genuine) => {
      const bytes = Buffer.from(from);
      bytes[(at + bytes.length) % bytes.length] = value;
      return bytes;
    };
    const last = genuine.at(-1) ?? 0;
    const explicit = spki(namedCurve, "explicit").publicKey;
    const cases: Readonly<Record<string, Buffer>> = {
      "not on the curve": edit(-1, last ^ 1),
      "another curve": spki(otherCurve, "named").publicKey,
      "the curve in numbers": explicit,
      "the curve in other numbers": edit(60, (explicit[60] ?? 0) ^ 1, explicit),
      "bytes cut off": genuine.subarray(0, -1),
      "no key at all": Buffer.from("no key"),
      Ed25519: generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" }),
      "a private key": spki(namedCurve, "named").privateKey,
    };
    for (const [name, PublicKey] of Object.entries(cases)) {
      equal(await agreement(kms, KeyId, PublicKey), "ValidationException", name);
    }
    const inNumbers = spki(namedCurve, "explicit").privateKey;
    const refused = await refusal(importedKey(kms, KeySpec, "SIGN_VERIFY", inNumbers));
    equal(refused?.name, "IncorrectKeyMaterialException");
  });
}

function agreement(client: KMS, KeyId: string, PublicKey: Buffer): Promise<string> {
  const asked = { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey } as const;
  return client.deriveSharedSecret(asked).then(
    () => "agreed",
    (error: Error) => error.name,
  );
}

function numbersOf(der: Buffer): readonly [bigint, bigint] {
  const at = (der[1] ?? 0) < 0x80 ? 2 : 3;
  const rEnd = at + 2 + (der[at + 1] ?? 0);
  const number = (from: number, to: number) => BigInt(`0x${der.toString("hex", from, to)}`);
  return [number(at + 2, rEnd), number(rEnd + 2, der.length)];
}

function integer(value: bigint): Buffer {
  const digits = value.toString(16);
  const body = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  const signed = (body[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), body]) : body;
  return Buffer.concat([Buffer.of(2, signed.length), signed]);
}

/** An INTEGER whose first bit is set and that has no zero before it. */
function negative(value: bigint): Buffer {
  const bytes = integer(value).subarray(2);
  const unsigned = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  unsigned[0] = (unsigned[0] ?? 0) | 0x80;
  return Buffer.concat([Buffer.of(2, unsigned.length), unsigned]);
}

function padded(der: Buffer): Buffer {
  return Buffer.concat([Buffer.of(2, der.length - 1, 0), der.subarray(2)]);
}

function sequence(body: Buffer): Buffer {
  const length = body.length < 0x80 ? Buffer.of(body.length) : Buffer.of(0x81, body.length);
  return Buffer.concat([Buffer.of(0x30), length, body]);
}

function ofNumbers(r: bigint, s: bigint): Buffer {
  return sequence(Buffer.concat([integer(r), integer(s)]));
}

/** One more byte of length than is needed. */
function longForm(der: Buffer): Buffer {
  const short = (der[1] ?? 0) < 0x80;
  const body = der.subarray(short ? 2 : 3);
  const length = short ? Buffer.of(0x81, body.length) : Buffer.of(0x82, 0, body.length);
  return Buffer.concat([Buffer.of(0x30), length, body]);
}

function fixed(value: bigint, order: bigint): Buffer {
  const size = Math.ceil(order.toString(16).length / 2);
  return Buffer.from(value.toString(16).padStart(size * 2, "0"), "hex");
}
