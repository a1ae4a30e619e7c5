import { constants, createDecipheriv, createPrivateKey, privateDecrypt } from "node:crypto";
import { hashOf } from "../kernel/key-specs.ts";
import type { ImportParametersRequest, KeyIdentity } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { labels, nonceBytes } from "./constants.ts";
import { presentRingKey, type RingKey } from "./keyring.ts";

/**
 * Import token: format(1) ‖ ring version(4) ‖ valid to(6, uint48 ms) ‖ algorithm(1) ‖ nonce(12) ‖
 * sealed PKCS #8 of the wrapping key ‖ tag(16). The server keeps nothing: the token remembers, for
 * one key in one region, what the customer wrapped to and how.
 */
const format = 0xb2;
const validToAt = 5;
const algorithmAt = 11;
const nonceAt = 12;
const sealedAt = nonceAt + nonceBytes;

/** Numbers are in tokens that live a day: never used again for another algorithm. */
const algorithms: readonly string[] = [
  "RSAES_OAEP_SHA_256",
  "RSAES_OAEP_SHA_1",
  "RSA_AES_KEY_WRAP_SHA_256",
  "RSA_AES_KEY_WRAP_SHA_1",
];

/** RFC 5649 §3: constant of the alternative initial value. */
const keyWrapPadIv = Buffer.from("a65959a6", "hex");

export interface OpenedToken {
  readonly validToMs: number;
  readonly algorithm: string;
  /** PKCS #8 DER; the receiver wipes it. */
  readonly privateKey: Buffer;
}

export function sealImportToken(
  ring: readonly RingKey[],
  request: ImportParametersRequest,
  privateKey: Uint8Array,
  random: Random,
): Buffer {
  const ringKey = presentRingKey(ring, "material");
  const head = Buffer.alloc(sealedAt);
  head[0] = format;
  head.writeUInt32BE(ringKey.version, 1);
  head.writeUIntBE(request.validToMs, validToAt, algorithmAt - validToAt);
  head[algorithmAt] = algorithms.indexOf(request.wrappingAlgorithm);
  random.bytes(nonceBytes).copy(head, nonceAt);
  const associated = associate(request, request.region, head);
  const nonce = head.subarray(nonceAt);
  return Buffer.concat([head, aeadSeal(ringKey.key, nonce, associated, privateKey)]);
}

/** undefined: not a token that was made here for this key in this region. */
export function openImportToken(
  ring: readonly RingKey[],
  identity: KeyIdentity,
  region: string,
  token: Uint8Array,
): OpenedToken | undefined {
  const bytes = Buffer.from(token.buffer, token.byteOffset, token.length);
  if (bytes.length < sealedAt || bytes[0] !== format) return undefined;
  const version = bytes.readUInt32BE(1);
  const ringKey = ring.find((key) => key.purpose === "material" && key.version === version);
  const algorithm = algorithms[bytes[algorithmAt] ?? 0xff];
  if (ringKey === undefined || algorithm === undefined) return undefined;
  const head = bytes.subarray(0, sealedAt);
  const nonce = head.subarray(nonceAt);
  const associated = associate(identity, region, head);
  const privateKey = aeadOpen(ringKey.key, nonce, associated, bytes.subarray(sealedAt));
  if (privateKey === undefined) return undefined;
  const validToMs = bytes.readUIntBE(validToAt, algorithmAt - validToAt);
  return { validToMs, algorithm, privateKey };
}

/** What the customer wrapped; undefined: it does not open. The receiver wipes it. */
export function openImport(
  { algorithm, privateKey }: OpenedToken,
  encrypted: Uint8Array,
): Buffer | undefined {
  const key = createPrivateKey({ key: privateKey, format: "der", type: "pkcs8" });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const unwrap = (bytes: Uint8Array) =>
    privateDecrypt({ key, padding, oaepHash: hashOf(algorithm) }, bytes);
  try {
    if (!algorithm.startsWith("RSA_AES_KEY_WRAP")) return unwrap(encrypted);
    const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const aesKey = unwrap(encrypted.subarray(0, modulusBytes));
    try {
      const unwrapper = createDecipheriv("aes256-wrap-pad", aesKey, keyWrapPadIv);
      const opened = unwrapper.update(encrypted.subarray(modulusBytes));
      return Buffer.concat([opened, unwrapper.final()]);
    } finally {
      aesKey.fill(0);
    }
  } catch {
    return undefined;
  }
}

function associate({ accountId, keyId }: KeyIdentity, region: string, head: Buffer): Buffer {
  const name = JSON.stringify([labels.importToken, accountId, keyId, region]);
  return Buffer.concat([Buffer.from(name), head.subarray(0, nonceAt)]);
}
