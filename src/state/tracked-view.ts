import type { AccountVersion } from "../kernel/command.ts";
import type { RecordEntry, RecordKey, RecordRange, RecordView } from "../kernel/records.ts";
import type { Turn } from "./turns.ts";

/** The cache behind views. */
export interface ViewedRecords {
  knownVersion(accountId: string): number | undefined;
  version(accountId: string): Promise<number>;
  get(key: RecordKey): Promise<object | undefined>;
  list(range: RecordRange): Promise<readonly RecordEntry<object>[]>;
}

/** What one attempt at a request saw, and under which account versions. */
export class TrackedView implements RecordView {
  readonly touched = new Map<string, AccountVersion["version"]>();
  /** Set: no other view changes configuration meanwhile. */
  readonly turn: Turn | undefined;
  private readonly cache: ViewedRecords;

  constructor(cache: ViewedRecords, turn?: Turn) {
    this.cache = cache;
    this.turn = turn;
  }

  get<T extends object>(key: RecordKey): Promise<Readonly<T> | undefined> {
    const read = this.after(key.accountId, () => this.cache.get(key));
    // Content was authenticated; its shape is that of the kind that wrote it.
    return read as Promise<Readonly<T> | undefined>;
  }

  list<T extends object>(range: RecordRange): Promise<readonly RecordEntry<T>[]> {
    const read = this.after(range.accountId, () => this.cache.list(range));
    return read as Promise<readonly RecordEntry<T>[]>;
  }

  /**
   * Notes the account's version before a value is read, so a change in between is found out. Almost
   * always it is known; a promise for it alone would be a good part of the cost of a cached read.
   */
  private after<V>(accountId: string, read: () => Promise<V>): Promise<V> {
    if (this.touched.has(accountId)) return read();
    const known = this.cache.knownVersion(accountId);
    if (known === undefined) return this.afterVersion(accountId, read);
    this.touched.set(accountId, known);
    return read();
  }

  private async afterVersion<V>(accountId: string, read: () => Promise<V>): Promise<V> {
    this.touched.set(accountId, await this.cache.version(accountId));
    return read();
  }
}
