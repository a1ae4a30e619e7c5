import type { EpochMs } from "../kernel/clock.ts";
import { Fault } from "../kernel/errors.ts";
import type { Soon } from "../kernel/soon.ts";

/** A data key in the clear, for as long as it may be reused. */
export interface CachedDataKey<T> {
  /** Owned by the cache. Use it without awaiting in between, and never keep it. */
  readonly plaintext: Buffer;
  readonly facts: T;
  readonly fetchedMs: EpochMs;
  /** ARN of the KMS key behind it; `forget` finds entries by it. */
  readonly keyArn: string;
  /** Whose it is, where a user's key is behind it. */
  readonly holder?: KeyHolder;
}

/** For what and for whom a data key was fetched: see `requesterId`. */
export interface KeyHolder {
  readonly resourceArn: string;
  readonly requester: string;
}

/** A data key that may still be used without the KMS being asked. */
export interface HeldKey extends KeyHolder {
  readonly keyArn: string;
  /** Service time from which the KMS is asked again. */
  readonly untilMs: EpochMs;
}

export interface DataKeyLimits {
  /** Uses and bytes under one key: far below the bounds of AES-GCM with random nonces. */
  readonly usesMax: number;
  readonly bytesMax: number;
  readonly entriesMax: number;
}

export const dataKeyLimits: DataKeyLimits = {
  usesMax: 2 ** 20,
  bytesMax: 2 ** 36,
  entriesMax: 50_000,
};

interface Entry<T> {
  pending: Promise<CachedDataKey<T>> | undefined;
  key: CachedDataKey<T> | undefined;
  uses: number;
  bytes: number;
  /** As the latest request said. */
  reuseMs: number;
}

/**
 * Data keys by name (resource, KMS key, requester), bounded in number, age, uses and bytes, wiped
 * when they leave. One fetch at a time per name.
 *
 * INVARIANT: a plaintext is handed to `use` synchronously, so a wiped buffer never seals anything.
 */
export class DataKeyCache<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly limits: DataKeyLimits;
  private readonly left: (key: CachedDataKey<T>) => void;

  /** `left` is told of each key that was held and is wiped now. */
  constructor(
    limits: DataKeyLimits = dataKeyLimits,
    left: (key: CachedDataKey<T>) => void = () => {},
  ) {
    this.limits = limits;
    this.left = left;
  }

  /**
   * Calls `use` with a key younger than `reuseMs`, fetching one if needed. A refused fetch is the
   * caller's answer; while the KMS cannot be reached at all, the old key goes on being used.
   *
   * AWS: SQS developer guide, data key reuse: a key is old at age ≥ the period.
   */
  with<R>(request: CacheRequest<T, R>): Soon<R> {
    const ready = this.ready(request);
    if (ready) return request.use(ready);
    const entry = this.entry(request.name);
    return this.fetch(entry, request).then((fetched) =>
      // Another request may have replaced or wiped it while this one was waiting.
      entry.key === fetched ? request.use(spend(entry, fetched, request)) : this.with(request),
    );
  }

  /** The key that `with` would not fetch, counted as used: the same holds for it. */
  ready(use: KeyUse): CachedDataKey<T> | undefined {
    const entry = this.entry(use.name);
    const { key } = entry;
    entry.reuseMs = use.reuseMs;
    return key && this.usable(entry, key, use) ? spend(entry, key, use) : undefined;
  }

  /** Wipes what a KMS key made or opened: its material is gone. */
  forget(keyArn: string): void {
    for (const [name, entry] of this.entries) {
      // A fetch under way may be for this key: it is thrown away too.
      if (entry.pending || entry.key?.keyArn === keyArn) this.drop(name, entry);
    }
  }

  /** What is held for somebody and young enough to be used. */
  held(nowMs: EpochMs): readonly HeldKey[] {
    return [...this.entries.values()].flatMap(({ key, reuseMs, uses, bytes }) => {
      if (key?.holder === undefined) return [];
      const untilMs = key.fetchedMs + reuseMs;
      const spent = uses >= this.limits.usesMax || bytes >= this.limits.bytesMax;
      return spent || nowMs >= untilMs ? [] : [{ ...key.holder, keyArn: key.keyArn, untilMs }];
    });
  }

  clear(): void {
    for (const [name, entry] of this.entries) this.drop(name, entry);
  }

  get size(): number {
    return this.entries.size;
  }

  private usable(entry: Entry<T>, key: CachedDataKey<T>, { nowMs, reuseMs }: KeyUse): boolean {
    const young = nowMs - key.fetchedMs < reuseMs;
    return young && entry.uses < this.limits.usesMax && entry.bytes < this.limits.bytesMax;
  }

  private fetch(entry: Entry<T>, request: CacheRequest<T, unknown>): Promise<CachedDataKey<T>> {
    entry.pending ??= this.replace(entry, request).finally(() => {
      entry.pending = undefined;
    });
    return entry.pending;
  }

  private async replace(entry: Entry<T>, request: CacheRequest<T, unknown>) {
    try {
      const fresh = await request.fetch();
      if (this.entries.get(request.name) !== entry) {
        // Forgotten while it was being fetched: the key behind it may be gone. Ask again.
        fresh.plaintext.fill(0);
        return fresh;
      }
      this.wipe(entry);
      Object.assign(entry, { key: fresh, uses: 0, bytes: 0 });
      return fresh;
    } catch (error) {
      if (error instanceof Fault && entry.key && entry.uses < this.limits.usesMax) return entry.key;
      if (this.entries.get(request.name) === entry) this.drop(request.name, entry);
      throw error;
    }
  }

  private entry(name: string): Entry<T> {
    const found = this.entries.get(name);
    if (found) return found;
    if (this.entries.size >= this.limits.entriesMax) this.evictOldest();
    const entry: Entry<T> = {
      pending: undefined,
      key: undefined,
      uses: 0,
      bytes: 0,
      reuseMs: 0,
    };
    this.entries.set(name, entry);
    return entry;
  }

  private evictOldest(): void {
    for (const [name, entry] of this.entries) {
      if (entry.pending) continue;
      this.drop(name, entry);
      return;
    }
  }

  private drop(name: string, entry: Entry<T>): void {
    this.wipe(entry);
    this.entries.delete(name);
  }

  private wipe(entry: Entry<T>): void {
    const { key } = entry;
    if (key === undefined) return;
    key.plaintext.fill(0);
    entry.key = undefined;
    this.left(key);
  }
}

function spend<T>(entry: Entry<T>, key: CachedDataKey<T>, { uses, bytes }: KeyUse) {
  entry.uses += uses;
  entry.bytes += bytes;
  return key;
}

/** Which key is wanted, how old it may be, and how much it is used for. */
export interface KeyUse {
  readonly name: string;
  readonly nowMs: EpochMs;
  readonly reuseMs: number;
  readonly uses: number;
  readonly bytes: number;
}

export interface CacheRequest<T, R> extends KeyUse {
  fetch(): Promise<CachedDataKey<T>>;
  use(key: CachedDataKey<T>): R;
}
