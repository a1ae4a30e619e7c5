import {
  type ListUndelivered,
  outboxCode,
  type SnsCommand,
  type SnsQuery,
  type UndeliveredNotification,
  type UndeliveredRow,
} from "../../services/sns/store.ts";
import { type Acts, each, together, type Work } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";
import type { DataKeys } from "./data-keys.ts";
import type { Session } from "./session.ts";
import { changeActs } from "./undelivered-changes.ts";

type Row = Omit<UndeliveredRow, "dataKey"> & { readonly dataKeyId: string };

const columns = `account_id AS "accountId", region, subscription_arn AS "subscriptionArn",
  topic_arn AS "topicArn", message_id AS "messageId", data_key_id AS "dataKeyId", bytes, metadata,
  published_ms AS "publishedMs", attempts, next_attempt_ms AS "nextAttemptMs",
  given_up_ms AS "givenUpMs", group_id AS "groupId", sequence,
  failure_code AS "failureCode", failure_text AS "failureText"`;

export function undeliveredActs(dataKeys: DataKeys): Acts<SnsCommand | SnsQuery> {
  return {
    "sns.undelivered.put": async (work, commands) => {
      await put(
        work,
        commands.map(({ notification }) => notification),
      );
      return commands.map(() => undefined);
    },
    ...changeActs,
    "sns.undelivered.due": together(async (work, query) =>
      withDataKeys(work, await due(work, query), dataKeys),
    ),
    "sns.undelivered.lanes": together(async (work, { afterArn, limit }) =>
      // One look for each lane, however many notifications wait in it.
      work.all(
        `WITH RECURSIVE lane (arn) AS (
           (SELECT subscription_arn FROM undelivered
             WHERE next_attempt_ms IS NOT NULL AND subscription_arn > $1::text
             ORDER BY subscription_arn LIMIT 1)
           UNION ALL
           SELECT (SELECT subscription_arn FROM undelivered
                    WHERE next_attempt_ms IS NOT NULL AND subscription_arn > lane.arn
                    ORDER BY subscription_arn LIMIT 1)
             FROM lane WHERE lane.arn IS NOT NULL)
         SELECT arn AS "subscriptionArn",
                (SELECT min(next_attempt_ms) FROM undelivered
                  WHERE subscription_arn = arn AND next_attempt_ms IS NOT NULL) AS "nextAttemptMs"
           FROM lane WHERE arn IS NOT NULL LIMIT $2::int8`,
        afterArn,
        limit,
      ),
    ),
    "sns.undelivered.list": each(async (work, query) =>
      withDataKeys(work, await list(work, query), dataKeys),
    ),
  };
}

async function put(work: Work, all: readonly UndeliveredNotification[]): Promise<void> {
  // The last one of a place counts; in one order everywhere.
  const byPlace = new Map(all.map((it) => [`${it.subscriptionArn}\0${it.messageId}`, it]));
  const rows = [...byPlace].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it);
  await work.run(
    `INSERT INTO undelivered
       (account_id, region, subscription_arn, message_id, topic_arn, data_key_id, bytes, metadata,
        published_ms, attempts, next_attempt_ms, given_up_ms, group_id, sequence,
        failure_code, failure_text)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
       $7::bytea[], $8::text[], $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::text[],
       $14::int8[], $15::text[], $16::text[])
     ON CONFLICT (account_id, region, subscription_arn, message_id) DO UPDATE
        SET topic_arn = excluded.topic_arn, data_key_id = excluded.data_key_id,
            bytes = excluded.bytes, metadata = excluded.metadata,
            published_ms = excluded.published_ms, attempts = excluded.attempts,
            next_attempt_ms = excluded.next_attempt_ms, given_up_ms = excluded.given_up_ms,
            group_id = excluded.group_id, sequence = excluded.sequence,
            failure_code = excluded.failure_code, failure_text = excluded.failure_text`,
    texts(rows.map((it) => it.accountId)),
    texts(rows.map((it) => it.region)),
    texts(rows.map((it) => it.subscriptionArn)),
    texts(rows.map((it) => it.messageId)),
    texts(rows.map((it) => it.topicArn)),
    texts(rows.map((it) => it.sealed.dataKeyId)),
    blobs(rows.map((it) => it.sealed.bytes)),
    texts(rows.map((it) => it.metadata)),
    integers(rows.map((it) => it.publishedMs)),
    integers(rows.map((it) => it.attempts)),
    integers(rows.map((it) => it.nextAttemptMs ?? null)),
    integers(rows.map((it) => it.givenUpMs ?? null)),
    texts(rows.map((it) => it.groupId ?? null)),
    integers(rows.map((it) => it.sequence ?? null)),
    texts(rows.map((it) => it.failureCode)),
    texts(rows.map((it) => plainText(it.failureText))),
  );
}

/** A text of the database holds no zero characters; what a receiver answered may. */
export function plainText(text: string): string {
  return text.replaceAll("\0", "\u{FFFD}");
}

function due(
  session: Session,
  query: { subscriptionArn: string; nowMs: number; limit: number },
): Promise<Row[]> {
  return session.all<Row>(
    `SELECT ${columns} FROM undelivered
      WHERE subscription_arn = $1::text AND next_attempt_ms <= $2::int8
        AND (group_id IS NULL OR sequence = (
          SELECT min(ahead.sequence) FROM undelivered AS ahead
           WHERE ahead.subscription_arn = undelivered.subscription_arn
             AND ahead.group_id = undelivered.group_id AND ahead.next_attempt_ms IS NOT NULL))
      ORDER BY next_attempt_ms LIMIT $3::int8`,
    query.subscriptionArn,
    query.nowMs,
    query.limit,
  );
}

const kinds = {
  any: "",
  failed: `AND failure_code NOT IN ('', '${outboxCode}')`,
  outbox: `AND failure_code = '${outboxCode}'`,
} as const;

/** Newest first; a statement for each combination of what is named. */
function list(session: Session, query: ListUndelivered): Promise<Row[]> {
  const { accountId, region, topicArn, only, limit } = query;
  const kind: keyof typeof kinds = only ?? "any";
  const condition = [
    topicArn === undefined ? "AND $3::text IS NULL" : "AND topic_arn = $3::text",
    region === undefined ? "AND $4::text IS NULL" : "AND region = $4::text",
    kinds[kind],
  ].join(" ");
  return session.all<Row>(
    `SELECT ${columns} FROM undelivered WHERE account_id = $1::text ${condition}
      ORDER BY published_ms DESC LIMIT $2::int8`,
    accountId,
    limit,
    topicArn ?? null,
    region ?? null,
  );
}

async function withDataKeys(
  session: Session,
  rows: readonly Row[],
  dataKeys: DataKeys,
): Promise<readonly UndeliveredRow[]> {
  const places = rows.map(({ accountId, region, dataKeyId: id }) => ({ accountId, region, id }));
  const keys = await dataKeys.find(session, places);
  const byPlace = new Map(
    keys.map((key) => [`${key.accountId}/${key.region}/${key.id}`, key] as const),
  );
  return rows.flatMap(({ dataKeyId, ...row }) => {
    const dataKey = byPlace.get(`${row.accountId}/${row.region}/${dataKeyId}`);
    if (dataKey === undefined) return [];
    return {
      ...row,
      nextAttemptMs: row.nextAttemptMs ?? undefined,
      givenUpMs: row.givenUpMs ?? undefined,
      groupId: row.groupId ?? undefined,
      sequence: row.sequence ?? undefined,
      dataKey,
    };
  });
}
