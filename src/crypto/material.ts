import { createHmac } from "node:crypto";
import type { KeySpec } from "../kernel/key-specs.ts";
import type { KeyIdentity, WrappedMaterial } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { assertKeyIdentity } from "./blob.ts";
import { keyBytes, labels, nonceBytes, tagBytes } from "./constants.ts";
import { presentRingKey, type RingKey } from "./keyring.ts";

/**
 * Wrapped material: format(1) ‖ ring version(4) ‖ nonce(12) ‖ sealed material ‖ tag(16). Format 1
 * is a symmetric key of 32 bytes, format 2 any other; its associated data names the key spec as
 * well.
 */
const symmetricFormat = 1;
const specFormat = 2;
const nonceAt = 5;
const sealedAt = nonceAt + nonceBytes;
const saltBytes = 16;

/** New random material of a symmetric key and its id. */
export function createMaterial(
  identity: KeyIdentity,
  random: Random,
): { materialId: string; material: Buffer } {
  const material = random.bytes(keyBytes);
  return { materialId: newMaterialId(identity, material, random), material };
}

/**
 * Id of new material (64 hex digits): a MAC under the material over the key's name and fresh
 * randomness, so that the id reveals nothing of the material.
 */
export function newMaterialId(identity: KeyIdentity, material: Uint8Array, random: Random): string {
  assertKeyIdentity(identity);
  const name = `${labels.materialId}\n${identity.accountId}\n${identity.keyId}\n`;
  const mac = createHmac("sha256", material).update(name).update(random.bytes(saltBytes));
  return mac.digest("hex");
}

/** Seals material under the present ring key of purpose `material`. */
export function wrapMaterial(
  ring: readonly RingKey[],
  identity: KeyIdentity,
  materialId: string,
  material: Uint8Array,
  random: Random,
  keySpec: KeySpec = "SYMMETRIC_DEFAULT",
): Buffer {
  const ringKey = presentRingKey(ring, "material");
  const head = Buffer.alloc(sealedAt);
  head[0] = formatOf(keySpec);
  head.writeUInt32BE(ringKey.version, 1);
  random.bytes(nonceBytes).copy(head, nonceAt);
  const associated = associate(identity, materialId, ringKey.version, keySpec);
  const sealed = aeadSeal(ringKey.key, head.subarray(nonceAt), associated, material);
  return Buffer.concat([head, sealed]);
}

/** undefined: this ring did not wrap these bytes for this key, material id and spec. */
export function unwrapMaterial(
  ring: readonly RingKey[],
  identity: KeyIdentity,
  { materialId, wrapped }: WrappedMaterial,
  keySpec: KeySpec = "SYMMETRIC_DEFAULT",
): Buffer | undefined {
  if (wrapped.length < sealedAt + tagBytes || wrapped[0] !== formatOf(keySpec)) return undefined;
  const version = Buffer.from(wrapped.buffer, wrapped.byteOffset, nonceAt).readUInt32BE(1);
  const ringKey = ring.find((key) => key.purpose === "material" && key.version === version);
  if (ringKey === undefined) return undefined;
  const nonce = wrapped.subarray(nonceAt, sealedAt);
  const associated = associate(identity, materialId, version, keySpec);
  return aeadOpen(ringKey.key, nonce, associated, wrapped.subarray(sealedAt));
}

function formatOf(keySpec: KeySpec): number {
  return keySpec === "SYMMETRIC_DEFAULT" ? symmetricFormat : specFormat;
}

function associate(
  { accountId, keyId }: KeyIdentity,
  materialId: string,
  ringVersion: number,
  keySpec: KeySpec,
): Buffer {
  const fields =
    keySpec === "SYMMETRIC_DEFAULT"
      ? [labels.materialWrap, accountId, keyId, materialId, ringVersion]
      : [labels.keyWrap, accountId, keyId, materialId, ringVersion, keySpec];
  return Buffer.from(JSON.stringify(fields));
}
