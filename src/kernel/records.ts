import type { Json } from "./json.ts";
import type { Soon } from "./soon.ts";

/**
 * Configuration (queues, topics, keys, users, policies …) is kept as authenticated records: one
 * JSON value under (account, region, kind, id). Messages, data keys and the audit have tables of
 * their own. docs/decisions/0003-records.md says why.
 */
export interface RecordKey {
  /** Owner account; "" for what belongs to the installation (access keys, accounts). */
  readonly accountId: string;
  /** "" for global services. */
  readonly region: string;
  /** `service.noun`: `sqs.queue`, `kms.key`, `iam.user`. */
  readonly kind: string;
  readonly id: string;
}

/** A record as a store keeps it. `mac` covers key, version and content under a ring key. */
export interface StoredRecord extends RecordKey {
  /** The account's configuration version that this record was written at. */
  readonly version: number;
  readonly content: string;
  readonly mac: Uint8Array;
}

export interface RecordRange {
  readonly accountId: string;
  readonly region: string;
  readonly kind: string;
  readonly idPrefix?: string;
  /** Only ids greater than this one. */
  readonly afterId?: string;
  readonly limit?: number;
}

/** All records of a kind in one account and region. */
export type RecordPlace = Pick<RecordRange, "accountId" | "region" | "kind">;

/**
 * The configuration as one request sees it, at once where it is known. Values are frozen; the same
 * object comes back until the record changes, so compiled forms can hang on it in a WeakMap. The
 * view notes which account versions were looked at; a commit decided under an older one is decided
 * again.
 *
 * A record whose MAC does not hold is a fault, never a value: access fails closed.
 */
export interface RecordView {
  get<T extends object>(key: RecordKey): Soon<Readonly<T> | undefined>;
  /** In order of id (bytes of UTF-8). */
  list<T extends object>(range: RecordRange): Soon<readonly RecordEntry<T>[]>;
  /** How many there are of a kind in a place, without a look at them: asked for each time. */
  count(place: RecordPlace): Soon<number>;
  /**
   * The version of an account that this view has looked at; undefined: it has not. What follows
   * from an account's records alone stays true for as long as views see the same version.
   */
  versionOf(accountId: string): number | undefined;
}

export interface RecordEntry<T> {
  readonly id: string;
  readonly value: Readonly<T>;
}

/** One kind of record with its value's type. The only place that names a kind. */
export interface RecordKind<T extends object> {
  readonly kind: string;
  key(scope: RecordScope, id: string): RecordKey;
  get(view: RecordView, scope: RecordScope, id: string): Soon<Readonly<T> | undefined>;
  list(
    view: RecordView,
    scope: RecordScope,
    range?: { idPrefix?: string; afterId?: string; limit?: number },
  ): Soon<readonly RecordEntry<T>[]>;
  count(view: RecordView, scope: RecordScope): Soon<number>;
  put(scope: RecordScope, id: string, value: T): PutRecord;
  remove(scope: RecordScope, id: string): DeleteRecord;
}

export interface RecordScope {
  readonly accountId: string;
  readonly region: string;
}

export interface PutRecord {
  readonly kind: "record.put";
  readonly key: RecordKey;
  readonly value: object;
}

export interface DeleteRecord {
  readonly kind: "record.delete";
  readonly key: RecordKey;
}

export type RecordCommand = PutRecord | DeleteRecord;

/**
 * Declares a kind. `scoped: "global"` drops the region (IAM), `"installation"` the account as well.
 */
export function recordKind<T extends object>(
  kind: string,
  scoped: "regional" | "global" | "installation" = "regional",
): RecordKind<T> {
  const place = ({ accountId, region }: RecordScope): RecordPlace => ({
    accountId: scoped === "installation" ? "" : accountId,
    region: scoped === "regional" ? region : "",
    kind,
  });
  const key = ({ accountId, region }: RecordScope, id: string): RecordKey => ({
    accountId: scoped === "installation" ? "" : accountId,
    region: scoped === "regional" ? region : "",
    kind,
    id,
  });
  return {
    kind,
    key,
    get: (view, scope, id) => view.get<T>(key(scope, id)),
    list: (view, scope, range) =>
      view.list<T>(range ? { ...place(scope), ...range } : place(scope)),
    count: (view, scope) => view.count(place(scope)),
    put: (scope, id, value) => ({ kind: "record.put", key: key(scope, id), value }),
    remove: (scope, id) => ({ kind: "record.delete", key: key(scope, id) }),
  };
}

/** A JSON object that has been checked to be one. */
export type JsonObject = { readonly [k: string]: Json };
