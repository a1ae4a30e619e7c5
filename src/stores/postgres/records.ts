import type { AccountVersion, RecordQuery, StoreRecordCommand } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { RecordKey, RecordRange, StoredRecord } from "../../kernel/records.ts";
import { type Acts, together, type Work } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";
import type { Session } from "./session.ts";

const columns = `account_id AS "accountId", region, kind, id, version, content, mac`;

/** Present versions of accounts; those that were never changed are at 0. */
export async function versionsOf(
  session: Session,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await session.all<{ accountId: string; version: number }>(
    `SELECT account_id AS "accountId", version FROM account_versions
      WHERE account_id = ANY($1::text[])`,
    texts(accountIds),
  );
  const known = new Map(rows.map(({ accountId, version }) => [accountId, version]));
  return new Map(accountIds.map((accountId) => [accountId, known.get(accountId) ?? 0]));
}

/**
 * Carries out record commands of one commit; each touched account's version rises by one. The
 * accounts are locked, and `present` was read under the lock.
 */
export async function changeRecords(
  work: Session,
  commands: readonly StoreRecordCommand[],
  present: ReadonlyMap<string, number>,
): Promise<readonly AccountVersion[]> {
  const accounts = [...new Set(commands.map((command) => keyOf(command).accountId))];
  const raised = accounts.map((accountId) => ({
    accountId,
    version: (present.get(accountId) ?? 0) + 1,
  }));
  const versions = new Map(raised.map(({ accountId, version }) => [accountId, version]));
  const last = new Map(commands.map((command) => [JSON.stringify(nameOf(command)), command]));
  const puts: StoredRecord[] = [];
  const gone: RecordKey[] = [];
  for (const command of last.values()) {
    if (command.kind === "record.delete") gone.push(command.key);
    else puts.push(command.record);
  }
  for (const { version, accountId } of puts) {
    assert(version === versions.get(accountId), "a record carries its new version");
  }
  if (gone.length > 0) await remove(work, gone);
  if (puts.length > 0) await put(work, puts);
  await work.run(
    `INSERT INTO account_versions SELECT * FROM unnest($1::text[], $2::int8[])
     ON CONFLICT (account_id) DO UPDATE SET version = excluded.version`,
    texts(accounts),
    integers(raised.map(({ version }) => version)),
  );
  return raised;
}

async function remove(work: Session, keys: readonly RecordKey[]): Promise<void> {
  await work.run(
    `DELETE FROM records USING unnest($1::text[], $2::text[], $3::text[], $4::text[])
         AS gone(account_id, region, kind, id)
      WHERE records.account_id = gone.account_id AND records.region = gone.region
        AND records.kind = gone.kind AND records.id = gone.id`,
    texts(keys.map(({ accountId }) => accountId)),
    texts(keys.map(({ region }) => region)),
    texts(keys.map(({ kind }) => kind)),
    texts(keys.map(({ id }) => id)),
  );
}

async function put(work: Session, records: readonly StoredRecord[]): Promise<void> {
  await work.run(
    `INSERT INTO records SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
         $5::int8[], $6::text[], $7::bytea[])
     ON CONFLICT (account_id, region, kind, id) DO UPDATE
        SET version = excluded.version, content = excluded.content, mac = excluded.mac`,
    texts(records.map(({ accountId }) => accountId)),
    texts(records.map(({ region }) => region)),
    texts(records.map(({ kind }) => kind)),
    texts(records.map(({ id }) => id)),
    integers(records.map(({ version }) => version)),
    texts(records.map(({ content }) => content)),
    blobs(records.map(({ mac }) => mac)),
  );
}

export function keyOf(command: StoreRecordCommand): RecordKey {
  return command.kind === "record.put" ? command.record : command.key;
}

function nameOf(command: StoreRecordCommand): readonly string[] {
  const { accountId, region, kind, id } = keyOf(command);
  return [accountId, region, kind, id];
}

/** Version and rows come from one statement: they belong together. */
export const recordQueries: Acts<RecordQuery> = {
  "record.get": together(async (work, { accountId, region, recordKind, id }) => {
    const rows = await work.all<StoredRecord & { readonly present: number | null }>(
      `SELECT ${columnsOf("r")}, v.version AS present
         FROM (SELECT $1::text AS account_id) AS asked
         LEFT JOIN account_versions AS v ON v.account_id = asked.account_id
         LEFT JOIN records AS r ON r.account_id = asked.account_id AND r.region = $2::text
               AND r.kind = $3::text AND r.id = $4::text`,
      accountId,
      region,
      recordKind,
      id,
    );
    const { present, ...record } = rows[0] ?? { present: 0, accountId: null };
    const found = record.accountId === null ? undefined : (record as StoredRecord);
    return { record: found, version: present ?? 0 };
  }),
  "record.list": together(async (work, { range }) => {
    const version = versionOf(work, range.accountId);
    const records = listRange(work, range);
    // Read first: a change in between makes the listing look old, never new.
    return { version: await version, records: await records };
  }),
  "record.count": together(async (work, { accountId, region, recordKind }) => {
    const version = versionOf(work, accountId);
    const rows = work.all<{ readonly count: number }>(
      `SELECT count(*) AS count FROM records
        WHERE account_id = $1::text AND region = $2::text AND kind = $3::text`,
      accountId,
      region,
      recordKind,
    );
    return { version: await version, count: (await rows)[0]?.count ?? 0 };
  }),
};

function columnsOf(table: string): string {
  return columns
    .split(", ")
    .map((column) => `${table}.${column}`)
    .join(", ");
}

async function versionOf(work: Session, accountId: string): Promise<number> {
  const versions = await versionsOf(work, [accountId]);
  return versions.get(accountId) ?? 0;
}

function listRange(work: Work, range: RecordRange): Promise<readonly StoredRecord[]> {
  const { accountId, region, kind, idPrefix = "", afterId = "", limit } = range;
  const above = idAbovePrefix(idPrefix) ?? null;
  return work.all<StoredRecord>(
    `SELECT ${columns} FROM records
      WHERE account_id = $1::text AND region = $2::text AND kind = $3::text
        AND id > $4::text AND id >= $5::text AND ($6::text IS NULL OR id < $6::text)
      ORDER BY id LIMIT $7::int8`,
    accountId,
    region,
    kind,
    afterId,
    idPrefix,
    above,
    limit ?? null,
  );
}

/**
 * The least text above every text with this prefix, in order of UTF-8 bytes (which is the order of
 * code points); undefined if there is none.
 */
function idAbovePrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // Surrogates are no characters: the next one after U+D7FF is U+E000.
    const following = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, following);
  }
  return undefined;
}
