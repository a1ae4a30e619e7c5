import type { DatabaseSync } from "node:sqlite";
import type { AccountVersion, RecordQuery, StoreRecordCommand } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { RecordKey, RecordRange, StoredRecord } from "../../kernel/records.ts";
import { type Acts, prepare } from "./act.ts";

/** Configuration records, and the version of each account that guards decisions. */
export interface Records {
  readonly queries: Acts<RecordQuery>;
  version(accountId: string): number;
  /** Present versions, if an account has moved on since the decision. */
  staleVersions(decidedUnder: readonly AccountVersion[]): readonly AccountVersion[] | undefined;
  /** Carries out record commands of one commit; each touched account's version rises by one. */
  change(commands: readonly StoreRecordCommand[]): readonly AccountVersion[];
  /** Something was rolled back. */
  reload(): void;
}

/** Accounts whose version is remembered. */
const rememberedMax = 10_000;

export function createRecords(database: DatabaseSync): Records {
  const versionOf = prepare<{ version: number }>(
    database,
    "SELECT version FROM account_versions WHERE account_id = ?",
  );
  const setVersion = prepare(database, "INSERT OR REPLACE INTO account_versions VALUES (?, ?)");
  const put = prepare(database, "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)");
  const remove = prepare(
    database,
    "DELETE FROM records WHERE account_id = ? AND region = ? AND kind = ? AND id = ?",
  );
  const versions = new Map<string, number>();

  /** Asked for by every commit, so it is remembered: nobody else changes it. */
  function version(accountId: string): number {
    const known = versions.get(accountId);
    if (known !== undefined) return known;
    const read = versionOf.get(accountId)?.version ?? 0;
    if (versions.size >= rememberedMax) versions.clear();
    versions.set(accountId, read);
    return read;
  }

  // Records hold key material and secrets, if wrapped: what they leave behind is overwritten, so
  // that a destroyed key is not in the file any more. Messages are sealed and need no second write.
  const overwriteRemains = (on: boolean) => database.exec(`PRAGMA secure_delete = ${on ? 1 : 0}`);

  function apply(command: StoreRecordCommand, versions: ReadonlyMap<string, number>): void {
    if (command.kind === "record.delete") {
      const { accountId, region, kind, id } = command.key;
      remove.run(accountId, region, kind, id);
      return;
    }
    const { record } = command;
    assert(record.version === versions.get(record.accountId), "a record carries its new version");
    const { accountId, region, kind, id, content, mac } = record;
    put.run(accountId, region, kind, id, record.version, content, mac);
  }

  return {
    reload: () => versions.clear(),
    queries: recordQueries(database, version),
    version,
    staleVersions(decidedUnder) {
      const present = decidedUnder.map(({ accountId }) => ({
        accountId,
        version: version(accountId),
      }));
      const newer = present.some((now, index) => {
        const decided = decidedUnder[index]?.version ?? 0;
        assert(decided <= now.version, "nobody decides under a version that does not exist yet");
        return now.version > decided;
      });
      return newer ? present : undefined;
    },
    change(commands) {
      const raised = new Map<string, number>();
      for (const command of commands) {
        const { accountId } = keyOf(command);
        if (!raised.has(accountId)) raised.set(accountId, version(accountId) + 1);
      }
      overwriteRemains(true);
      try {
        for (const command of commands) apply(command, raised);
      } finally {
        overwriteRemains(false);
      }
      for (const [accountId, next] of raised) {
        setVersion.run(accountId, next);
        versions.set(accountId, next);
      }
      return [...raised].map(([accountId, next]) => ({ accountId, version: next }));
    },
  };
}

function keyOf(command: StoreRecordCommand): RecordKey {
  return command.kind === "record.put" ? command.record : command.key;
}

function recordQueries(
  database: DatabaseSync,
  version: (accountId: string) => number,
): Acts<RecordQuery> {
  const columns = "account_id AS accountId, region, kind, id, version, content, mac";
  const get = prepare<StoredRecord>(
    database,
    `SELECT ${columns} FROM records
      WHERE account_id = ? AND region = ? AND kind = ? AND id = ?`,
  );
  const list = prepare<StoredRecord>(
    database,
    `SELECT ${columns} FROM records
      WHERE account_id = ? AND region = ? AND kind = ? AND id > ? AND id >= ?
      ORDER BY id LIMIT ?`,
  );
  const listBelow = prepare<StoredRecord>(
    database,
    `SELECT ${columns} FROM records
      WHERE account_id = ? AND region = ? AND kind = ? AND id > ? AND id >= ? AND id < ?
      ORDER BY id LIMIT ?`,
  );

  const count = prepare<{ count: number }>(
    database,
    "SELECT count(*) AS count FROM records WHERE account_id = ? AND region = ? AND kind = ?",
  );

  function listRange(range: RecordRange): readonly StoredRecord[] {
    const { accountId, region, kind, idPrefix = "", afterId = "", limit = -1 } = range;
    const above = idAbovePrefix(idPrefix);
    return above === undefined
      ? list.all(accountId, region, kind, afterId, idPrefix, limit)
      : listBelow.all(accountId, region, kind, afterId, idPrefix, above, limit);
  }

  return {
    "record.get": ({ accountId, region, recordKind, id }) => ({
      record: get.get(accountId, region, recordKind, id),
      version: version(accountId),
    }),
    "record.list": ({ range }) => ({
      records: listRange(range),
      version: version(range.accountId),
    }),
    "record.count": ({ accountId, region, recordKind }) => ({
      count: count.get(accountId, region, recordKind)?.count ?? 0,
      version: version(accountId),
    }),
  };
}

/**
 * The least text above every text with this prefix, in order of UTF-8 bytes (which is the order of
 * code points); undefined if there is none.
 */
export function idAbovePrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // Surrogates are no characters: the next one after U+D7FF is U+E000.
    const following = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, following);
  }
  return undefined;
}
