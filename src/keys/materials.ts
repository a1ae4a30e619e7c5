import type { KeyObject } from "node:crypto";
import { type BlobHeader, blobIdentity, readBlobIdentity } from "../crypto/blob.ts";
import type { RingKey } from "../crypto/keyring.ts";
import { unwrapMaterial, wrapMaterial } from "../crypto/material.ts";
import { privateKeyOf } from "../crypto/signature.ts";
import { assert, Fault } from "../kernel/errors.ts";
import type { KeySpec } from "../kernel/key-specs.ts";
import type { Random } from "../kernel/random.ts";
import { MaterialCache } from "./material-cache.ts";

/** Wraps and unwraps key material under the ring; keeps the unwrapped for a while. */
export class Materials {
  readonly ring: readonly RingKey[];
  readonly #random: Random;
  readonly #cache: MaterialCache;

  constructor(ring: readonly RingKey[], random: Random, bytesMax: number) {
    this.ring = ring.filter(({ purpose }) => purpose === "material");
    this.#random = random;
    this.#cache = new MaterialCache(bytesMax);
  }

  /** Takes the material over and answers it wrapped. */
  adopt(name: BlobHeader, spec: KeySpec, material: Buffer): Buffer {
    const wrapped = wrapMaterial(this.ring, name, name.materialId, material, this.#random, spec);
    this.#cache.put(blobIdentity(name), spec, material);
    return wrapped;
  }

  /**
   * Valid until this turn of the event loop ends: use it at once. `identity`: see `blobIdentity`.
   *
   * Throws Fault `key-material-damaged`.
   */
  open(identity: Buffer, wrapped: Uint8Array, spec: KeySpec): Buffer {
    const cached = this.#cache.get(identity, spec);
    if (cached !== undefined) return cached;
    const name = readBlobIdentity(identity);
    assert(name !== undefined, "a frame names a key");
    const material = unwrapMaterial(
      this.ring,
      name,
      { materialId: name.materialId, wrapped },
      spec,
    );
    if (material === undefined) {
      throw new Fault(
        "key-material-damaged",
        "stored key material was changed or is not its key's",
      );
    }
    this.#cache.put(identity, spec, material);
    return material;
  }

  /**
   * The same as OpenSSL reads it, for as long as it is needed. Throws Fault `key-material-damaged`.
   */
  openPrivateKey(identity: Buffer, wrapped: Uint8Array, spec: KeySpec): KeyObject {
    const material = this.open(identity, wrapped, spec);
    return this.#cache.privateKey(identity, spec) ?? privateKeyOf(material);
  }

  forget(materialId: string): void {
    this.#cache.forget(materialId);
  }
}
