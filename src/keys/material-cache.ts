import type { KeyIdentity } from "../kernel/keyvault.ts";

interface Entry extends KeyIdentity {
  readonly material: Buffer;
}

/**
 * Unwrapped material, least recently used first out, wiped when it leaves. A hit needs the same
 * account and key as the unwrapping did: the cache must not loosen what the wrapping binds.
 */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Valid until the cache is next changed. */
  get(identity: KeyIdentity, materialId: string): Buffer | undefined {
    const entry = this.#entries.get(materialId);
    if (entry === undefined) return undefined;
    if (entry.accountId !== identity.accountId || entry.keyId !== identity.keyId) return undefined;
    this.#entries.delete(materialId);
    this.#entries.set(materialId, entry);
    return entry.material;
  }

  /** Takes the material over: it is wiped here. */
  put({ accountId, keyId }: KeyIdentity, materialId: string, material: Buffer): void {
    this.forget(materialId);
    this.#entries.set(materialId, { accountId, keyId, material });
    if (this.#entries.size <= this.#countMax) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.forget(oldest);
  }

  forget(materialId: string): void {
    this.#entries.get(materialId)?.material.fill(0);
    this.#entries.delete(materialId);
  }
}
