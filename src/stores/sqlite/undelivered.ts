import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type {
  DueUndelivered,
  ListUndelivered,
  SnsCommand,
  SnsQuery,
  UndeliveredRow,
} from "../../services/sns/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";

type Row = Omit<UndeliveredRow, "dataKey"> & { readonly dataKeyId: string };

const columns = `account_id AS accountId, region, subscription_arn AS subscriptionArn,
  topic_arn AS topicArn, message_id AS messageId, data_key_id AS dataKeyId, bytes, metadata,
  published_ms AS publishedMs, attempts, next_attempt_ms AS nextAttemptMs,
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
        published_ms, attempts, next_attempt_ms, failure_code, failure_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = prepare(
    database,
    `DELETE FROM undelivered
      WHERE account_id = ? AND region = ? AND subscription_arn = ? AND message_id = ?`,
  );
  const reschedule = prepare(
    database,
    `UPDATE undelivered
        SET attempts = ?, next_attempt_ms = ?, failure_code = ?, failure_text = ?
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
      const outcome = [it.attempts, it.nextAttemptMs ?? null, it.failureCode, it.failureText];
      reschedule.run(...outcome, it.accountId, it.region, it.subscriptionArn, it.messageId);
      return undefined;
    },
    "sns.undelivered.expire": createExpire(database),
  };
}

function createExpire(database: DatabaseSync): Acts<SnsCommand>["sns.undelivered.expire"] {
  const deleteWhere = (condition: string) =>
    prepare(
      database,
      `DELETE FROM undelivered
        WHERE (account_id, region, subscription_arn, message_id) IN (
          SELECT account_id, region, subscription_arn, message_id FROM undelivered
           WHERE ${condition} AND published_ms < ? AND (? OR next_attempt_ms IS NULL) LIMIT ?)`,
    );
  const ofAll = deleteWhere("true");
  const ofOne = deleteWhere("subscription_arn = ?");
  return ({ publishedBeforeMs, subscriptionArn, givenUpOnly = false, rowsMax }) => {
    const rest = [publishedBeforeMs, givenUpOnly ? 0 : 1, rowsMax] as const;
    const removed =
      subscriptionArn === undefined ? ofAll.run(...rest) : ofOne.run(subscriptionArn, ...rest);
    return { removed };
  };
}

function questions(database: DatabaseSync, dataKeys: DataKeys): Acts<SnsQuery> {
  const due = prepare<Row>(
    database,
    `SELECT ${columns} FROM undelivered WHERE next_attempt_ms <= ?
      ORDER BY next_attempt_ms LIMIT ?`,
  );
  const listWhere = (condition: string) =>
    prepare<Row>(
      database,
      `SELECT ${columns} FROM undelivered WHERE account_id = ? ${condition}
        ORDER BY published_ms DESC LIMIT ?`,
    );
  const ofAccount = listWhere("");
  const ofRegion = listWhere("AND region = ?");
  const ofTopic = listWhere("AND topic_arn = ?");
  const ofTopicInRegion = listWhere("AND topic_arn = ? AND region = ?");

  function list({ accountId, region, topicArn, limit }: ListUndelivered): Row[] {
    if (topicArn === undefined) {
      if (region === undefined) return ofAccount.all(accountId, limit);
      return ofRegion.all(accountId, region, limit);
    }
    if (region === undefined) return ofTopic.all(accountId, topicArn, limit);
    return ofTopicInRegion.all(accountId, topicArn, region, limit);
  }

  function withDataKey({ dataKeyId, ...row }: Row): UndeliveredRow {
    const dataKey = dataKeys.find(row.accountId, row.region, dataKeyId);
    assert(dataKey, "a foreign key holds the data key of an undelivered notification");
    return { ...row, nextAttemptMs: row.nextAttemptMs ?? undefined, dataKey };
  }

  return {
    "sns.undelivered.due": ({ nowMs, limit }: DueUndelivered) =>
      due.all(nowMs, limit).map(withDataKey),
    "sns.undelivered.list": (query) => list(query).map(withDataKey),
  };
}
