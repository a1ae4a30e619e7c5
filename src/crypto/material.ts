import { createHmac } from "node:crypto";
import type { KeyIdentity, WrappedMaterial } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { assertKeyIdentity } from "./blob.ts";
import { keyBytes, labels, nonceBytes, tagBytes } from "./constants.ts";
import { presentRingKey, type RingKey } from "./keyring.ts";

/** Wrapped material: format(1) ‖ ring version(4) ‖ nonce(12) ‖ sealed material(48). */
const format = 1;
const nonceAt = 5;
const sealedAt = nonceAt + nonceBytes;
const wrappedBytes = sealedAt + keyBytes + tagBytes;
const saltBytes = 16;

/**
 * New random material of a symmetric key and its id (64 hex digits): a MAC under the material over
 * the key's name and fresh randomness, so that the id reveals nothing of the material.
 */
export function createMaterial(
  identity: KeyIdentity,
  random: Random,
): { materialId: string; material: Buffer } {
  assertKeyIdentity(identity);
  const material = random.bytes(keyBytes);
  const name = `${labels.materialId}\n${identity.accountId}\n${identity.keyId}\n`;
  const mac = createHmac("sha256", material).update(name).update(random.bytes(saltBytes));
  return { materialId: mac.digest("hex"), material };
}

/** Seals material under the present ring key of purpose `material`. */
export function wrapMaterial(
  ring: readonly RingKey[],
  identity: KeyIdentity,
  materialId: string,
  material: Uint8Array,
  random: Random,
): Buffer {
  const ringKey = presentRingKey(ring, "material");
  const head = Buffer.alloc(sealedAt);
  head[0] = format;
  head.writeUInt32BE(ringKey.version, 1);
  random.bytes(nonceBytes).copy(head, nonceAt);
  const associated = associate(identity, materialId, ringKey.version);
  const sealed = aeadSeal(ringKey.key, head.subarray(nonceAt), associated, material);
  return Buffer.concat([head, sealed]);
}

/** undefined: this ring did not wrap these bytes for this key and material id. */
export function unwrapMaterial(
  ring: readonly RingKey[],
  identity: KeyIdentity,
  { materialId, wrapped }: WrappedMaterial,
): Buffer | undefined {
  if (wrapped.length !== wrappedBytes || wrapped[0] !== format) return undefined;
  const version = Buffer.from(wrapped.buffer, wrapped.byteOffset, nonceAt).readUInt32BE(1);
  const ringKey = ring.find((key) => key.purpose === "material" && key.version === version);
  if (ringKey === undefined) return undefined;
  const nonce = wrapped.subarray(nonceAt, sealedAt);
  const associated = associate(identity, materialId, version);
  return aeadOpen(ringKey.key, nonce, associated, wrapped.subarray(sealedAt));
}

function associate(identity: KeyIdentity, materialId: string, ringVersion: number): Buffer {
  const fields = [labels.materialWrap, identity.accountId, identity.keyId, materialId, ringVersion];
  return Buffer.from(JSON.stringify(fields));
}
