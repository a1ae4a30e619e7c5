import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import {
  type Lane,
  type ListUndelivered,
  outboxCode,
  type SnsCommand,
  type SnsQuery,
  type UndeliveredRow,
} from "../../services/sns/store.ts";
import { type Acts, prepare, type Statement } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";

type Row = Omit<UndeliveredRow, "dataKey"> & { readonly dataKeyId: string };

const columns = `account_id AS accountId, region, subscription_arn AS subscriptionArn,
  topic_arn AS topicArn, message_id AS messageId, data_key_id AS dataKeyId, bytes, metadata,
  published_ms AS publishedMs, attempts, next_attempt_ms AS nextAttemptMs,
  given_up_ms AS givenUpMs, group_id AS groupId, sequence,
  failure_code AS failureCode, failure_text AS failureText`;

export function undeliveredActs(
  database: DatabaseSync,
  dataKeys: DataKeys,
): Acts<SnsCommand | SnsQuery> {
  return { ...changes(database), ...questions(database, dataKeys) };
}

function changes(database: DatabaseSync): Acts<SnsCommand> {
  const put = prepare(
    database,
    `INSERT OR REPLACE INTO undelivered
       (account_id, region, subscription_arn, message_id, topic_arn, data_key_id, bytes, metadata,
        published_ms, attempts, next_attempt_ms, given_up_ms, group_id, sequence,
        failure_code, failure_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = prepare(
    database,
    `DELETE FROM undelivered
      WHERE account_id = ? AND region = ? AND subscription_arn = ? AND message_id = ?`,
  );
  const reschedule = prepare(
    database,
    `UPDATE undelivered
        SET attempts = ?, next_attempt_ms = ?, given_up_ms = ?, failure_code = ?, failure_text = ?
      WHERE account_id = ? AND region = ? AND subscription_arn = ? AND message_id = ?`,
  );
  return {
    "sns.undelivered.put": ({ notification: it }) => {
      put.run(
        it.accountId,
        it.region,
        it.subscriptionArn,
        it.messageId,
        it.topicArn,
        it.sealed.dataKeyId,
        it.sealed.bytes,
        it.metadata,
        it.publishedMs,
        it.attempts,
        it.nextAttemptMs ?? null,
        it.givenUpMs ?? null,
        it.groupId ?? null,
        it.sequence ?? null,
        it.failureCode,
        it.failureText,
      );
      return undefined;
    },
    "sns.undelivered.remove": ({ accountId, region, subscriptionArn, messageId }) => {
      remove.run(accountId, region, subscriptionArn, messageId);
      return undefined;
    },
    "sns.undelivered.reschedule": (it) => {
      const times = [it.nextAttemptMs ?? null, it.givenUpMs ?? null];
      const outcome = [it.attempts, ...times, it.failureCode, it.failureText];
      reschedule.run(...outcome, it.accountId, it.region, it.subscriptionArn, it.messageId);
      return undefined;
    },
    "sns.undelivered.expire": createExpire(database),
    "sns.undelivered.revive": createRevive(database),
  };
}

function createExpire(database: DatabaseSync): Acts<SnsCommand>["sns.undelivered.expire"] {
  const deleteWhere = (condition: string) =>
    prepare(
      database,
      `DELETE FROM undelivered
        WHERE (account_id, region, subscription_arn, message_id) IN (
          SELECT account_id, region, subscription_arn, message_id FROM undelivered
           WHERE ${condition} AND published_ms < ? LIMIT ?)`,
    );
  const ofAll = deleteWhere("true");
  const ofOne = deleteWhere("subscription_arn = ?");
  const givenUp = deleteWhere("given_up_ms < ?");
  return ({ publishedBeforeMs, subscriptionArn, givenUpBeforeMs, rowsMax }) => {
    if (givenUpBeforeMs !== undefined) {
      return { removed: givenUp.run(givenUpBeforeMs, publishedBeforeMs, rowsMax) };
    }
    const rest = [publishedBeforeMs, rowsMax] as const;
    const removed =
      subscriptionArn === undefined ? ofAll.run(...rest) : ofOne.run(subscriptionArn, ...rest);
    return { removed };
  };
}

function createRevive(database: DatabaseSync): Acts<SnsCommand>["sns.undelivered.revive"] {
  const revive = prepare<{ subscriptionArn: string }>(
    database,
    `UPDATE undelivered SET attempts = 0, next_attempt_ms = ?1, given_up_ms = NULL
      WHERE account_id = ?2 AND given_up_ms IS NOT NULL AND failure_code <> '${outboxCode}'
        AND (?3 IS NULL OR topic_arn = ?3) AND (?4 IS NULL OR subscription_arn = ?4)
        AND (?5 IS NULL OR message_id = ?5)
      RETURNING subscription_arn AS subscriptionArn`,
  );
  return ({ nowMs, accountId, topicArn, subscriptionArn, messageId }) => {
    const named = [topicArn ?? null, subscriptionArn ?? null, messageId ?? null] as const;
    const rows = revive.all(nowMs, accountId, ...named);
    const arns = new Set(rows.map((row) => row.subscriptionArn));
    const lanes = [...arns].map((arn) => ({ subscriptionArn: arn, nextAttemptMs: nowMs }));
    return { revived: rows.length, lanes };
  };
}

function questions(database: DatabaseSync, dataKeys: DataKeys): Acts<SnsQuery> {
  const due = prepare<Row>(
    database,
    `SELECT ${columns} FROM undelivered INDEXED BY undelivered_by_lane
      WHERE subscription_arn = ? AND next_attempt_ms <= ?
        AND (group_id IS NULL OR sequence = (
          SELECT min(ahead.sequence) FROM undelivered AS ahead INDEXED BY undelivered_by_order
           WHERE ahead.subscription_arn = undelivered.subscription_arn
             AND ahead.group_id = undelivered.group_id AND ahead.next_attempt_ms IS NOT NULL))
      ORDER BY next_attempt_ms LIMIT ?`,
  );
  // One look for each lane, however many notifications wait in it.
  const lanes = prepare<Lane>(
    database,
    `WITH RECURSIVE lane (arn) AS (
       SELECT min(subscription_arn) FROM undelivered
        WHERE next_attempt_ms IS NOT NULL AND subscription_arn > ?
       UNION ALL
       SELECT (SELECT min(subscription_arn) FROM undelivered
                WHERE next_attempt_ms IS NOT NULL AND subscription_arn > lane.arn)
         FROM lane WHERE lane.arn IS NOT NULL)
     SELECT arn AS subscriptionArn,
            (SELECT min(next_attempt_ms) FROM undelivered
              WHERE subscription_arn = arn AND next_attempt_ms IS NOT NULL) AS nextAttemptMs
       FROM lane WHERE arn IS NOT NULL LIMIT ?`,
  );
  const list = createList(database);

  function withDataKey({ dataKeyId, ...row }: Row): UndeliveredRow {
    const dataKey = dataKeys.find(row.accountId, row.region, dataKeyId);
    assert(dataKey, "a foreign key holds the data key of an undelivered notification");
    return {
      ...row,
      nextAttemptMs: row.nextAttemptMs ?? undefined,
      givenUpMs: row.givenUpMs ?? undefined,
      groupId: row.groupId ?? undefined,
      sequence: row.sequence ?? undefined,
      dataKey,
    };
  }

  return {
    "sns.undelivered.due": ({ subscriptionArn, nowMs, limit }) =>
      due.all(subscriptionArn, nowMs, limit).map(withDataKey),
    "sns.undelivered.lanes": ({ afterArn, limit }) => lanes.all(afterArn, limit),
    "sns.undelivered.list": (query) => list(query).map(withDataKey),
  };
}

const kinds = {
  any: "",
  failed: `AND failure_code NOT IN ('', '${outboxCode}')`,
  outbox: `AND failure_code = '${outboxCode}'`,
} as const;

/** Newest first; a statement for each combination of what is named. */
function createList(database: DatabaseSync): (query: ListUndelivered) => readonly Row[] {
  const statements = new Map<string, Statement<Row>>();
  return ({ accountId, region, topicArn, only: kind, limit }) => {
    const only: keyof typeof kinds = kind ?? "any";
    const condition = [
      topicArn === undefined ? "" : "AND topic_arn = ?",
      region === undefined ? "" : "AND region = ?",
      kinds[only],
    ].join(" ");
    const known = statements.get(condition);
    const statement =
      known ??
      prepare<Row>(
        database,
        `SELECT ${columns} FROM undelivered WHERE account_id = ? ${condition}
          ORDER BY published_ms DESC LIMIT ?`,
      );
    statements.set(condition, statement);
    const named = [topicArn, region].filter((each) => each !== undefined);
    return statement.all(accountId, ...named, limit);
  };
}
