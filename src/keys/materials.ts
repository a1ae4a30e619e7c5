import type { RingKey } from "../crypto/keyring.ts";
import { unwrapMaterial, wrapMaterial } from "../crypto/material.ts";
import { Fault } from "../kernel/errors.ts";
import { type KeySpec, keySpecNames } from "../kernel/key-specs.ts";
import type { KeyIdentity } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { MaterialCache } from "./material-cache.ts";

/** One material as a request names it. */
export interface MaterialName extends KeyIdentity {
  readonly materialId: string;
}

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
  adopt(name: MaterialName, spec: KeySpec, material: Buffer): Buffer {
    const wrapped = wrapMaterial(this.ring, name, name.materialId, material, this.#random, spec);
    this.#cache.put(name, cacheId(name, spec), material);
    return wrapped;
  }

  /**
   * Valid until this turn of the event loop ends: use it at once.
   *
   * Throws Fault `key-material-damaged`.
   */
  open(name: MaterialName, wrapped: Uint8Array, spec: KeySpec): Buffer {
    const id = cacheId(name, spec);
    const cached = this.#cache.get(name, id);
    if (cached !== undefined) return cached;
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
    this.#cache.put(name, id, material);
    return material;
  }

  forget(materialId: string): void {
    for (const spec of keySpecNames) this.#cache.forget(cacheId({ materialId }, spec));
  }
}

/** The wrapping binds the spec; a hit in the cache must not loosen that. */
function cacheId({ materialId }: Pick<MaterialName, "materialId">, spec: KeySpec): string {
  return spec === "SYMMETRIC_DEFAULT" ? materialId : `${spec} ${materialId}`;
}
