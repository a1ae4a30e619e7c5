import type { KeyIdentity } from "../kernel/keyvault.ts";

interface Entry extends KeyIdentity {
  readonly material: Buffer;
}

/** What an entry takes beside its material, measured on the heap. */
export const entryBytes = 640;

/**
 * Unwrapped material, least recently used first out, wiped when it leaves. A hit needs the same
 * account and key as the unwrapping did: the cache must not loosen what the wrapping binds.
 */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>();
  readonly #bytesMax: number;
  #bytes = 0;

  /** `bytesMax`: of all that the entries hold, their names and bookkeeping included. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
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
    this.#bytes += entryBytes + material.length;
    if (this.#bytes <= this.#bytesMax) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.forget(oldest);
  }

  /** Wipes it, if it is there. */
  forget(materialId: string): void {
    const entry = this.#entries.get(materialId);
    if (entry === undefined) return;
    this.#bytes -= entryBytes + entry.material.length;
    entry.material.fill(0);
    this.#entries.delete(materialId);
  }
}
