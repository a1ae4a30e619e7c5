import type { RecordCommand, RecordRange, StoredRecord } from "./records.ts";

/**
 * A change as plain data, made by a service and carried out by a store. Commands of one `commit`
 * are one atomic, durable act. `R` is what carrying it out answers.
 */
export interface Command<R = unknown> {
  readonly kind: string;
  /** Type only, never present: the result of the command. Boxed, else `undefined` gets lost. */
  readonly result?: { readonly of: R };
}

/** A question to a store as plain data; sees all that was acknowledged before. */
export interface Query<R = unknown> {
  readonly kind: string;
  readonly result?: { readonly of: R };
}

export type ResultOf<C> = C extends { readonly result?: { readonly of: infer R } } ? R : unknown;
export type ResultsOf<T extends readonly unknown[]> = { -readonly [K in keyof T]: ResultOf<T[K]> };

/** One atomic act, as it goes to the store. */
export interface CommitRequest {
  /** Account versions that the act was decided under; an older one than the store's is stale. */
  readonly decidedUnder: readonly AccountVersion[];
  /** Records already carry their MAC here. */
  readonly commands: readonly Command[];
}

export interface AccountVersion {
  readonly accountId: string;
  readonly version: number;
}

export type CommitAnswer =
  | {
      readonly status: "done";
      readonly results: readonly unknown[];
      readonly versions: readonly AccountVersion[];
    }
  /** Nothing was done: the configuration moved on. `versions` are the present ones. */
  | { readonly status: "stale"; readonly versions: readonly AccountVersion[] };

/** Record commands as the store gets them. */
export type StoreRecordCommand =
  | { readonly kind: "record.put"; readonly record: StoredRecord }
  | (RecordCommand & { readonly kind: "record.delete" });

export interface RecordGetQuery
  extends Query<{ record: StoredRecord | undefined; version: number }> {
  readonly kind: "record.get";
  readonly accountId: string;
  readonly region: string;
  readonly recordKind: string;
  readonly id: string;
}

export interface RecordListQuery
  extends Query<{ records: readonly StoredRecord[]; version: number }> {
  readonly kind: "record.list";
  readonly range: RecordRange;
}

/** How many records of a kind there are in a place. */
export interface RecordCountQuery extends Query<{ count: number; version: number }> {
  readonly kind: "record.count";
  readonly accountId: string;
  readonly region: string;
  readonly recordKind: string;
}

/** `version` is the account's configuration version at the time of reading. */
export type RecordQuery = RecordGetQuery | RecordListQuery | RecordCountQuery;

/**
 * The durable state of an installation. INVARIANT: `commit` answers only after the commit is on
 * disk (fsync'd). Answers arrive in the order in which the store carried things out, so a cache
 * that drops what an answer changed can never keep an older value.
 *
 * Throws Fault `disk-full` when it cannot write; reads go on.
 */
export interface Store {
  commit(request: CommitRequest): Promise<CommitAnswer>;
  query<Q extends Query>(query: Q): Promise<ResultOf<Q>>;
  close(): Promise<void>;
}
