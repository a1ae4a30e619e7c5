import type { DatabaseSync } from "node:sqlite";
import type { Command } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type {
  AcceptFifo,
  ArchivedMessage,
  GetFifoState,
  KnownMessage,
  TopicCommand,
  TopicIdentity,
  TopicQuery,
} from "../../services/sns/topic-store.ts";
import { type Acts, prepare } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";

const forgottenAtATime = 100;

/** Order, duplicates and archive of FIFO topics. */
export function topicActs(
  database: DatabaseSync,
  dataKeys: DataKeys,
): Acts<TopicCommand | TopicQuery> {
  return { ...orderActs(database), ...archiveActs(database, dataKeys) };
}

/** A publication that was decided before another one of its topic: another thread was first. */
export function createLatePublications(database: DatabaseSync): (command: Command) => boolean {
  const lastOf = lastSequences(database);
  return (command) => {
    if (command.kind !== "sns.fifo.accept") return false;
    const { topic, lastSequence } = command as AcceptFifo;
    return lastOf(topic) !== lastSequence;
  };
}

function lastSequences(database: DatabaseSync): (topic: TopicIdentity) => number {
  const last = prepare<{ lastSequence: number }>(
    database,
    `SELECT last_sequence AS lastSequence FROM topic_orders
      WHERE account_id = ? AND region = ? AND topic_name = ?`,
  );
  return (topic) => last.get(...nameOf(topic))?.lastSequence ?? 0;
}

type OrderKinds = "sns.fifo.state" | "sns.fifo.accept" | "sns.topic.forget";

function orderActs(database: DatabaseSync): Pick<Acts<TopicCommand | TopicQuery>, OrderKinds> {
  const lastOf = lastSequences(database);
  const setLast = prepare(database, "INSERT OR REPLACE INTO topic_orders VALUES (?, ?, ?, ?)");
  const find = prepare<KnownMessage>(
    database,
    `SELECT digest, message_id AS messageId, sequence FROM topic_deduplications
      WHERE account_id = ? AND region = ? AND topic_name = ? AND digest = ? AND sent_ms > ?`,
  );
  const remember = prepare(
    database,
    "INSERT OR REPLACE INTO topic_deduplications VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const forget = prepare(
    database,
    `DELETE FROM topic_deduplications WHERE (account_id, region, topic_name, digest) IN (
       SELECT account_id, region, topic_name, digest FROM topic_deduplications
        WHERE sent_ms < ? ORDER BY sent_ms LIMIT ?)`,
  );
  const waiting = prepare<{ subscriptionArn: string; groupId: string }>(
    database,
    `SELECT DISTINCT subscription_arn AS subscriptionArn, group_id AS groupId
       FROM undelivered INDEXED BY undelivered_by_group
      WHERE topic_arn = ? AND group_id = ? AND next_attempt_ms IS NOT NULL`,
  );
  const removals = ["topic_orders", "topic_deduplications", "topic_archive"].map((table) =>
    prepare(
      database,
      `DELETE FROM ${table} WHERE account_id = ? AND region = ? AND topic_name = ?`,
    ),
  );
  return {
    "sns.fifo.state": ({ topic, topicArn, digests, sentAfterMs, groupIds }: GetFifoState) => ({
      lastSequence: lastOf(topic),
      known: digests.flatMap((digest) => find.get(...nameOf(topic), digest, sentAfterMs) ?? []),
      waiting: groupIds.flatMap((groupId) => waiting.all(topicArn, groupId)),
    }),
    "sns.fifo.accept": ({ topic, lastSequence, messages, forgetBeforeMs }) => {
      assert(lastOf(topic) === lastSequence, "publications of a topic come one after another");
      forget.run(forgetBeforeMs, forgottenAtATime);
      const name = nameOf(topic);
      for (const { digest, messageId, sequence, sentMs } of messages) {
        remember.run(...name, digest, messageId, sequence, sentMs);
      }
      setLast.run(...name, messages.at(-1)?.sequence ?? lastSequence);
      return undefined;
    },
    "sns.topic.forget": ({ topic }) => {
      for (const removal of removals) removal.run(...nameOf(topic));
      return undefined;
    },
  };
}

type Row = ArchivedMessage & { readonly bytes: Uint8Array; readonly dataKeyId: string };

function archiveActs(
  database: DatabaseSync,
  dataKeys: DataKeys,
): Omit<Acts<TopicCommand | TopicQuery>, OrderKinds> {
  const put = prepare(
    database,
    "INSERT OR REPLACE INTO topic_archive VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const expire = prepare(
    database,
    `DELETE FROM topic_archive WHERE (account_id, region, topic_name, sequence) IN (
       SELECT account_id, region, topic_name, sequence FROM topic_archive
        WHERE account_id = ? AND region = ? AND topic_name = ? AND published_ms < ? LIMIT ?)`,
  );
  const read = prepare<Row>(
    database,
    `SELECT sequence, message_id AS messageId, data_key_id AS dataKeyId, bytes, metadata,
            published_ms AS publishedMs
       FROM topic_archive
      WHERE account_id = ? AND region = ? AND topic_name = ? AND sequence > ?
        AND published_ms >= ? AND published_ms <= ?
      ORDER BY sequence LIMIT ?`,
  );
  const replay = prepare(
    database,
    `INSERT OR REPLACE INTO undelivered
       (account_id, region, subscription_arn, message_id, topic_arn, data_key_id, bytes, metadata,
        published_ms, attempts, next_attempt_ms, group_id, sequence, failure_code, failure_text)
     SELECT account_id, region, ?, message_id, ?, data_key_id, bytes, ?, published_ms, 0, ?, ?,
            sequence, '', ''
       FROM topic_archive
      WHERE account_id = ? AND region = ? AND topic_name = ? AND sequence = ?`,
  );
  return {
    "sns.archive.replay": ({ topic, topicArn, subscriptionArn, nowMs, messages }) => {
      for (const { sequence, groupId, metadata } of messages) {
        const place = [subscriptionArn, topicArn, metadata, nowMs, groupId] as const;
        replay.run(...place, ...nameOf(topic), sequence);
      }
      return undefined;
    },
    "sns.archive.put": ({ topic, message }) => {
      const { sequence, messageId, sealed, metadata, publishedMs } = message;
      const body = [sealed.dataKeyId, sealed.bytes] as const;
      put.run(...nameOf(topic), sequence, messageId, ...body, metadata, publishedMs);
      return undefined;
    },
    "sns.archive.expire": ({ topic, publishedBeforeMs, rowsMax }) => ({
      removed: expire.run(...nameOf(topic), publishedBeforeMs, rowsMax),
    }),
    "sns.archive.read": ({ topic, afterSequence, fromMs, toMs, limit }) =>
      read
        .all(...nameOf(topic), afterSequence, fromMs, toMs, limit)
        .map(({ dataKeyId, ...row }) => {
          const dataKey = dataKeys.find(topic.accountId, topic.region, dataKeyId);
          assert(dataKey, "a foreign key holds the data key of an archived message");
          return { ...row, dataKey };
        }),
  };
}

function nameOf({ accountId, region, topicName }: TopicIdentity): [string, string, string] {
  return [accountId, region, topicName];
}
