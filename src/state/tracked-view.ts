import type { AccountVersion } from "../kernel/command.ts";
import type {
  RecordEntry,
  RecordKey,
  RecordPlace,
  RecordRange,
  RecordView,
} from "../kernel/records.ts";
import type { Soon } from "../kernel/soon.ts";
import type { Turn } from "./turns.ts";

/** The cache behind views. */
export interface ViewedRecords {
  knownVersion(accountId: string): number | undefined;
  version(accountId: string): Promise<number>;
  get(key: RecordKey): Soon<object | undefined>;
  list(range: RecordRange): Soon<readonly RecordEntry<object>[]>;
  count(place: RecordPlace): Promise<number>;
}

/** What one attempt at a request saw, and under which account versions. */
export class TrackedView implements RecordView {
  /** Few: the accounts of caller and resources. */
  readonly touched: AccountVersion[] = [];
  /** Set: no other view changes configuration meanwhile. */
  readonly turn: Turn | undefined;
  private readonly cache: ViewedRecords;

  constructor(cache: ViewedRecords, turn?: Turn) {
    this.cache = cache;
    this.turn = turn;
  }

  get<T extends object>(key: RecordKey): Soon<Readonly<T> | undefined> {
    const noted = this.note(key.accountId);
    const read = noted ? this.getLater(noted, key) : this.cache.get(key);
    // Content was authenticated; its shape is that of the kind that wrote it.
    return read as Soon<Readonly<T> | undefined>;
  }

  list<T extends object>(range: RecordRange): Soon<readonly RecordEntry<T>[]> {
    const noted = this.note(range.accountId);
    const read = noted ? this.listLater(noted, range) : this.cache.list(range);
    return read as Soon<readonly RecordEntry<T>[]>;
  }

  // Apart: a function with a closure in it costs more, also where the closure is not made.
  private async getLater(noted: Promise<void>, key: RecordKey): Promise<object | undefined> {
    await noted;
    return this.cache.get(key);
  }

  private async listLater(noted: Promise<void>, range: RecordRange) {
    await noted;
    return this.cache.list(range);
  }

  async count(place: RecordPlace): Promise<number> {
    await this.note(place.accountId);
    return this.cache.count(place);
  }

  versionOf(accountId: string): number | undefined {
    for (const touched of this.touched) if (touched.accountId === accountId) return touched.version;
    return undefined;
  }

  /**
   * Notes the account's version before a value is read, so a change in between is found out. Almost
   * always it is known, and nothing is to be waited for.
   */
  private note(accountId: string): Promise<void> | undefined {
    if (this.versionOf(accountId) !== undefined) return undefined;
    const known = this.cache.knownVersion(accountId);
    if (known === undefined) return this.noteAsked(accountId);
    this.touched.push({ accountId, version: known });
    return undefined;
  }

  private async noteAsked(accountId: string): Promise<void> {
    const version = await this.cache.version(accountId);
    // Another read may have asked as well: what is decided counts from the first on.
    if (this.versionOf(accountId) === undefined) this.touched.push({ accountId, version });
  }
}
