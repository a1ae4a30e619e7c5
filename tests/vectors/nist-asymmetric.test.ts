import { deepEqual, equal, ok } from "node:assert/strict";
import { createPrivateKey, createPublicKey, hash } from "node:crypto";
import { test } from "node:test";
import { agreeOn, verifyNative } from "../../src/crypto/signature.ts";
import type { KeySpec } from "../../src/kernel/key-specs.ts";
import { verifyDigest } from "../../src/keys/digest-signatures.ts";
import { type Case, casesOf, hexOf, placeOf, withoutNist } from "./nist.ts";

// Goal: signatures (FIPS 186) and key agreement (SP 800-56A) are judged as NIST judges them, messages
// and digests. Method: public keys and signatures of its files through the layer that Verify ends in
// (a public key alone cannot be imported), private keys through that of DeriveSharedSecret.

const skip = withoutNist;

const curves = {
  "P-256": ["ECC_NIST_P256", "SHA-256", 32],
  "P-384": ["ECC_NIST_P384", "SHA-384", 48],
  "P-521": ["ECC_NIST_P521", "SHA-512", 66],
} as const;
type Curve = keyof typeof curves;

function isCurve(text: string | undefined): text is Curve {
  return text !== undefined && Object.hasOwn(curves, text);
}

/** A coordinate of a point, in the length that its curve has. */
function coordinate(one: Case, member: string, bytes: number): string {
  const number = hexOf(one, member);
  const short = number.subarray(Math.max(0, number.length - bytes));
  return Buffer.concat([Buffer.alloc(bytes - short.length), short]).toString("base64url");
}

/** undefined: no point of the curve. */
function ecSpki(one: Case, curve: Curve, x: string, y: string): Buffer | undefined {
  const bytes = curves[curve][2];
  const [left, right] = [coordinate(one, x, bytes), coordinate(one, y, bytes)];
  try {
    const key = createPublicKey({
      key: { kty: "EC", crv: curve, x: left, y: right },
      format: "jwk",
    });
    return key.export({ type: "spki", format: "der" });
  } catch {
    return undefined;
  }
}

function derOf(r: Buffer, s: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    let at = 0;
    while (at < bytes.length - 1 && bytes[at] === 0) at += 1;
    const short = bytes.subarray(at);
    const body = (short[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
    return Buffer.concat([Buffer.of(2, body.length), body]);
  };
  const body = Buffer.concat([integer(r), integer(s)]);
  const length = body.length < 0x80 ? Buffer.of(body.length) : Buffer.of(0x81, body.length);
  return Buffer.concat([Buffer.of(0x30), length, body]);
}

interface Judged {
  readonly keySpec: KeySpec;
  readonly algorithm: string;
  readonly hashName: string;
  readonly digest: typeof verifyNative;
}

/** Both ways to ask must agree with NIST's word, `P` or `F`. */
async function judge(one: Case, spki: Buffer, signature: Buffer, how: Judged): Promise<boolean> {
  const { keySpec, algorithm, hashName, digest } = how;
  const message = hexOf(one, "Msg");
  const asked = { keySpec, algorithm };
  const raw = { ...asked, messageType: "RAW", message } as const;
  const digested = { ...asked, messageType: "DIGEST" } as const;
  const hashed = hash(hashName, message, "buffer");
  const holds = await verifyNative(raw, spki, signature);
  equal(await digest({ ...digested, message: hashed }, spki, signature), holds, placeOf(one));
  equal(holds, one.members.Result?.startsWith("P"), placeOf(one));
  return holds;
}

test("ECDSA", { skip }, async () => {
  const seen = { good: 0, bad: 0 };
  for (const one of casesOf("dss/186-3ecdsatestvectors/SigVer.rsp", "Msg", "R", "S")) {
    const [curve, hashed] = one.members.title?.split(",") ?? [];
    if (!isCurve(curve) || curves[curve][1] !== hashed) continue;
    const [keySpec, name] = curves[curve];
    const spki = ecSpki(one, curve, "Qx", "Qy");
    if (spki === undefined) {
      ok(one.members.Result?.startsWith("F"), placeOf(one));
      continue;
    }
    const how = {
      ...{ keySpec, hashName: name.replace("-", "").toLowerCase(), digest: verifyDigest },
      algorithm: `ECDSA_${name.replace("-", "_")}`,
    };
    const holds = await judge(one, spki, derOf(hexOf(one, "R"), hexOf(one, "S")), how);
    seen[holds ? "good" : "bad"] += 1;
  }
  ok(seen.good >= 6 && seen.bad >= 20);
});

for (const [file, scheme] of [
  ["SigVer15_186-3.rsp", "RSASSA_PKCS1_V1_5"],
  ["SigVerPSS_186-3.rsp", "RSASSA_PSS"],
] as const) {
  test(`RSA: ${scheme}`, { skip }, async () => {
    const seen = { good: 0, bad: 0 };
    for (const one of casesOf(`dss/186-3rsatestvectors/${file}`, "SHAAlg", "Msg", "S")) {
      const size = one.members.SHAAlg?.replace("SHA", "") ?? "";
      if (!["2048", "3072"].includes(one.members.mod ?? "")) continue;
      if (!["256", "384", "512"].includes(size)) continue;
      // KMS has one form of PSS: the salt is as long as the hash.
      const salted = one.members.SaltVal;
      if (salted !== undefined && salted.length / 2 !== Number(size) / 8) continue;
      const spki = rsaSpki(one);
      const keySpec = `RSA_${one.members.mod}` as KeySpec;
      const algorithm = `${scheme}_SHA_${size}`;
      const how = { keySpec, algorithm, hashName: `sha${size}`, digest: verifyNative };
      const holds = await judge(one, spki, hexOf(one, "S"), how);
      seen[holds ? "good" : "bad"] += 1;
    }
    ok(seen.good >= 6 && seen.bad >= 20);
  });
}

function rsaSpki(one: Case): Buffer {
  const number = (member: string) => {
    const bytes = hexOf(one, member);
    const at = bytes.findIndex((byte) => byte !== 0);
    return bytes.subarray(at).toString("base64url");
  };
  const key = { kty: "RSA", n: number("n"), e: number("e") };
  return createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "der" });
}

test("ECDH", { skip }, () => {
  const file = "components/ecccdhtestvectors/KAS_ECC_CDH_PrimitiveTest.txt";
  let count = 0;
  for (const one of casesOf(file, "dIUT", "ZIUT")) {
    const curve = one.members.title;
    if (!isCurve(curve)) continue;
    const bytes = curves[curve][2];
    const [d, x, y] = ["dIUT", "QIUTx", "QIUTy"].map((member) => coordinate(one, member, bytes));
    const jwk = { kty: "EC", crv: curve, d, x, y };
    const own = createPrivateKey({ key: jwk, format: "jwk" });
    const pkcs8 = own.export({ type: "pkcs8", format: "der" });
    const theirs = ecSpki(one, curve, "QCAVSx", "QCAVSy");
    ok(theirs, placeOf(one));
    const shared = Buffer.from(coordinate(one, "ZIUT", bytes), "base64url");
    deepEqual(agreeOn(pkcs8, theirs), shared, placeOf(one));
    count += 1;
  }
  equal(count, 75);
});
