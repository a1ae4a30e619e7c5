import type { SealingKey } from "./envelope-form.ts";
import { ContentKey } from "./shared-envelope.ts";

/** Key parts in all: some MiB. */
const keyPartsMax = 20_000;

/**
 * Content keys by the data keys that they were sealed under. A topic's messages mostly go to the
 * same queues, so one content key serves until one of their data keys is renewed.
 */
export class ContentKeys {
  readonly #keyPartsMax: number;
  readonly #keys = new Map<string, ContentKey>();
  /** Names of the content keys that a data key opens. */
  readonly #names = new Map<string, Set<string>>();
  #keyParts = 0;

  constructor(max = keyPartsMax) {
    this.#keyPartsMax = max;
  }

  /** Of one that is there, the sealing ARNs are those of before: a data key has one. */
  of(dataKeys: readonly SealingKey[]): ContentKey {
    const ids = dataKeys.map(({ dataKeyId }) => dataKeyId);
    const name = ids.join();
    const known = this.#keys.get(name);
    if (known) return known;
    if (this.#keyParts + ids.length > this.#keyPartsMax) this.#clear();
    const made = new ContentKey(dataKeys);
    this.#keys.set(name, made);
    this.#keyParts += ids.length;
    for (const id of ids) {
      const names = this.#names.get(id);
      if (names) names.add(name);
      else this.#names.set(id, new Set([name]));
    }
    return made;
  }

  /** Wipes every content key that this data key opens. */
  drop(dataKeyId: string): void {
    for (const name of this.#names.get(dataKeyId) ?? []) this.#remove(name);
  }

  /** How many texts it keeps to find content keys by. */
  get nameCount(): number {
    return this.#keys.size + [...this.#names.values()].reduce((sum, { size }) => sum + size, 0);
  }

  #remove(name: string): void {
    const key = this.#keys.get(name);
    if (!key) return;
    key.wipe();
    this.#keys.delete(name);
    this.#keyParts -= key.dataKeyIds.length;
    for (const id of key.dataKeyIds) {
      const names = this.#names.get(id);
      names?.delete(name);
      if (names?.size === 0) this.#names.delete(id);
    }
  }

  #clear(): void {
    for (const name of [...this.#keys.keys()]) this.#remove(name);
  }
}
