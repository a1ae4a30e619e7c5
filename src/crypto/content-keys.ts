import { ContentKey } from "./shared-envelope.ts";

/** Own parts in all: some MiB. */
const ownPartsMax = 20_000;

/**
 * Content keys by the data keys that they were sealed under. A topic's messages mostly go to the
 * same queues, so one content key serves until one of their data keys is renewed.
 */
export class ContentKeys {
  readonly #ownPartsMax: number;
  readonly #keys = new Map<string, ContentKey>();
  /** Names of the content keys that a data key opens. */
  readonly #names = new Map<string, Set<string>>();
  #ownParts = 0;

  constructor(max = ownPartsMax) {
    this.#ownPartsMax = max;
  }

  of(ids: readonly string[]): ContentKey {
    const name = ids.join();
    const known = this.#keys.get(name);
    if (known) return known;
    if (this.#ownParts + ids.length > this.#ownPartsMax) this.#clear();
    const made = new ContentKey(ids);
    this.#keys.set(name, made);
    this.#ownParts += ids.length;
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
    this.#ownParts -= key.dataKeyIds.length;
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
