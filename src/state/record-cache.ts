import type {
  AccountVersion,
  Command,
  CommitAnswer,
  CommitRequest,
  RecordCountQuery,
  RecordGetQuery,
  RecordListQuery,
  ResultsOf,
  Store,
  StoreRecordCommand,
} from "../kernel/command.ts";
import { Fault, StaleDecision } from "../kernel/errors.ts";
import type { Peers } from "../kernel/peers.ts";
import type {
  RecordCommand,
  RecordKey,
  RecordPlace,
  RecordRange,
  StoredRecord,
} from "../kernel/records.ts";
import type { Soon } from "../kernel/soon.ts";
import { type Listing, Listings } from "./listings.ts";
import { keep, type Read } from "./read.ts";
import { freezeDeep, recordName } from "./record-names.ts";
import { TrackedView } from "./tracked-view.ts";
import { createTurns, type Turn, type Turns } from "./turns.ts";

/** Authenticates records: `crypto/rows` under the ring's row key. */
export interface RowMacs {
  make(record: Omit<StoredRecord, "mac">): Uint8Array;
  verify(record: StoredRecord): boolean;
}

export interface RecordCacheOptions {
  readonly store: Store;
  readonly rows: RowMacs;
  /** Cached records, and entries of listings; beyond it the oldest go. */
  readonly entriesMax: number;
  /** Other processes that change the same configuration. Absent: there are none. */
  readonly peers?: Pick<Peers, "trusted" | "onVersion" | "watch"> | undefined;
  /** The turn of all threads of the process. Absent: this thread's is all. */
  readonly takeTurn?: (() => Promise<Turn>) | undefined;
}

/**
 * The configuration as one gateway thread knows it: records and listings, read on demand, verified,
 * parsed once, and dropped the moment a commit changed them.
 *
 * INVARIANT: the store answers in the order in which it acts, so whatever is cached is what was
 * true at the account version known here.
 */
export class RecordCache {
  private readonly options: RecordCacheOptions;
  private readonly records = new Map<string, Read<object | undefined>>();
  private readonly listings: Listings;
  private readonly versions = new Map<string, number>();
  /** Who changes configuration alone now; see `takeTurn`. */
  private readonly turns: Turns;

  constructor(options: RecordCacheOptions) {
    this.options = options;
    this.listings = new Listings(options.entriesMax);
    this.turns = createTurns(options.takeTurn);
    options.peers?.watch(() => [...this.versions.keys()]);
    options.peers?.onVersion((accountId, version) => {
      if (this.versions.has(accountId)) this.observe(accountId, version);
    });
  }

  /**
   * INVARIANT: whoever was cut off from the others fails closed: nothing that was cached counts,
   * each request reads for itself, and where the store does not answer, nothing is allowed.
   */
  private forgetUntrusted(): void {
    if (this.options.peers?.trusted() !== false) return;
    this.records.clear();
    this.listings.forgetAll();
    this.versions.clear();
  }

  /** A view for one request (or one attempt at it). */
  view(turn?: Turn): TrackedView {
    return new TrackedView(this, turn);
  }

  /**
   * Waits until nobody else changes configuration through this cache. Requests that were decided in
   * vain take turns, so that many at once all come through.
   */
  takeTurn(): Promise<Turn> {
    return this.turns.take();
  }

  /**
   * Commits on behalf of a view: refuses what was decided under an older configuration with
   * StaleDecision. Without a view the act is unconditional, and must not change records.
   */
  async commit<const T extends readonly Command[]>(
    view: TrackedView | undefined,
    commands: T,
  ): Promise<ResultsOf<T>> {
    const changesRecords = commands.some(isRecordCommand);
    if (changesRecords && !view?.turn) await this.turns.idle();
    const touched = view?.touched ?? nothingTouched;
    if (this.isOutdated(touched)) throw new StaleDecision(changesRecords);
    const request = changesRecords
      ? await this.sealRecords(touched, commands)
      : { decidedUnder: [...touched], commands };
    const answer = await this.options.store.commit(request);
    this.learn(answer, commands);
    if (answer.status === "stale") throw new StaleDecision(changesRecords);
    // The store answers one result per command, in order: that is its contract.
    return answer.results as unknown as ResultsOf<T>;
  }

  private async sealRecords(
    touched: readonly AccountVersion[],
    commands: readonly Command[],
  ): Promise<CommitRequest> {
    const decided = new Map(touched.map(({ accountId, version }) => [accountId, version]));
    const sealed: Command[] = [];
    for (const command of commands) {
      if (isRecordCommand(command)) {
        const { accountId } = command.key;
        if (!decided.has(accountId)) decided.set(accountId, await this.version(accountId));
        sealed.push(this.sealRecord(command, (decided.get(accountId) ?? 0) + 1));
      } else sealed.push(command);
    }
    const decidedUnder = [...decided].map(([accountId, version]) => ({ accountId, version }));
    return { decidedUnder, commands: sealed };
  }

  /** Known here already: the store need not be asked to find it stale. */
  private isOutdated(decided: readonly AccountVersion[]): boolean {
    for (const { accountId, version } of decided) {
      if ((this.versions.get(accountId) ?? version) > version) return true;
    }
    return false;
  }

  /** Known version of an account, asked for once. */
  async version(accountId: string): Promise<number> {
    this.forgetUntrusted();
    const known = this.versions.get(accountId);
    if (known !== undefined) return known;
    const { version } = await this.options.store.query<RecordGetQuery>({
      kind: "record.get",
      accountId,
      region: "",
      recordKind: "",
      id: "",
    });
    this.observe(accountId, version);
    return this.versions.get(accountId) ?? version;
  }

  knownVersion(accountId: string): number | undefined {
    this.forgetUntrusted();
    return this.versions.get(accountId);
  }

  get(key: RecordKey): Soon<object | undefined> {
    this.forgetUntrusted();
    const name = recordName(key);
    const cached = this.records.get(name);
    if (cached) return cached.value;
    if (this.records.size >= this.options.entriesMax) this.dropOldest();
    return keep(this.records, name, this.read(key));
  }

  list(range: RecordRange): Soon<Listing> {
    this.forgetUntrusted();
    return this.listings.get(range, () => this.readRange(range));
  }

  /** Not kept: only those ask who change something next. No MAC is looked at. */
  async count({ accountId, region, kind }: RecordPlace): Promise<number> {
    const { count, version } = await this.options.store.query<RecordCountQuery>({
      kind: "record.count",
      accountId,
      region,
      recordKind: kind,
    });
    this.observe(accountId, version);
    return count;
  }

  private async read(key: RecordKey): Promise<object | undefined> {
    const { record, version } = await this.options.store.query<RecordGetQuery>({
      kind: "record.get",
      accountId: key.accountId,
      region: key.region,
      recordKind: key.kind,
      id: key.id,
    });
    this.observe(key.accountId, version);
    return record && this.openRecord(record);
  }

  private async readRange(range: RecordRange): Promise<Listing> {
    const { records, version } = await this.options.store.query<RecordListQuery>({
      kind: "record.list",
      range,
    });
    this.observe(range.accountId, version);
    return Object.freeze(records.map((row) => ({ id: row.id, value: this.openRecord(row) })));
  }

  /** INVARIANT: nothing from a row whose MAC does not hold is ever used. */
  private openRecord(record: StoredRecord): object {
    if (!this.options.rows.verify(record)) {
      const name = `${record.kind} ${record.id} of account ${record.accountId || "-"}`;
      throw new Fault("record-authentication", `stored record ${name} is not authentic`);
    }
    return freezeDeep(JSON.parse(record.content));
  }

  private sealRecord(command: RecordCommand, version: number): StoreRecordCommand {
    if (command.kind === "record.delete") return command;
    const row = { ...command.key, version, content: JSON.stringify(command.value) };
    return { kind: "record.put", record: { ...row, mac: this.options.rows.make(row) } };
  }

  private learn(answer: CommitAnswer, commands: readonly Command[]): void {
    for (const { accountId, version } of answer.versions) {
      const own =
        answer.status === "done" &&
        commands.some((c) => isRecordCommand(c) && c.key.accountId === accountId);
      const known = this.versions.get(accountId);
      const foreign = known !== undefined && version > known + (own ? 1 : 0);
      if (foreign) this.forgetAccount(accountId);
      this.versions.set(accountId, Math.max(known ?? 0, version));
    }
    if (answer.status !== "done") return;
    for (const command of commands) {
      if (!isRecordCommand(command)) continue;
      this.records.delete(recordName(command.key));
      this.listings.forget(command.key);
    }
  }

  /** A version newer than the one known here: another process changed something. */
  private observe(accountId: string, version: number): void {
    const known = this.versions.get(accountId);
    if (known !== undefined && version <= known) return;
    if (known !== undefined) this.forgetAccount(accountId);
    this.versions.set(accountId, version);
  }

  private forgetAccount(accountId: string): void {
    const prefix = `${accountId}\0`;
    for (const name of this.records.keys()) {
      if (name.startsWith(prefix)) this.records.delete(name);
    }
    this.listings.forgetAll(prefix);
  }

  private dropOldest(): void {
    const oldest = this.records.keys().next();
    if (!oldest.done) this.records.delete(oldest.value);
  }
}

const nothingTouched: readonly AccountVersion[] = [];

function isRecordCommand(command: Command): command is RecordCommand & Command {
  return command.kind === "record.put" || command.kind === "record.delete";
}
