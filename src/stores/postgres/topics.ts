import type {
  AcceptFifo,
  ArchivedMessage,
  GetFifoState,
  KnownMessage,
  TopicCommand,
  TopicIdentity,
  TopicQuery,
} from "../../services/sns/topic-store.ts";
import { type Acts, allDone, each, together } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";
import type { DataKeys } from "./data-keys.ts";
import { DecidedOnOldState } from "./decided-on-old-state.ts";
import type { Session } from "./session.ts";

const forgottenAtATime = 100;

const ofTopic = "account_id = $1::text AND region = $2::text AND topic_name = $3::text";

/** Order, duplicates and archive of FIFO topics. */
export function topicActs(dataKeys: DataKeys): Acts<TopicCommand | TopicQuery> {
  return { ...orderActs, ...archiveActs(dataKeys) };
}

type OrderKinds = "sns.fifo.state" | "sns.fifo.accept" | "sns.topic.forget";

const orderActs: Pick<Acts<TopicCommand | TopicQuery>, OrderKinds> = {
  "sns.fifo.state": together(fifoState),
  "sns.fifo.accept": each(async (work, command) => {
    await accept(work, command);
    return undefined;
  }),
  "sns.topic.forget": each(async (work, { topic }) => {
    const tables = ["topic_orders", "topic_deduplications", "topic_archive"];
    await allDone(
      tables.map((table) => work.run(`DELETE FROM ${table} WHERE ${ofTopic}`, ...nameOf(topic))),
    );
    return undefined;
  }),
};

async function fifoState(
  session: Session,
  { topic, topicArn, digests, sentAfterMs, groupIds }: GetFifoState,
) {
  const [last, known, waiting] = await allDone([
    session.all<{ lastSequence: number }>(
      `SELECT last_sequence AS "lastSequence" FROM topic_orders WHERE ${ofTopic}`,
      ...nameOf(topic),
    ),
    session.all<KnownMessage>(
      `SELECT digest, message_id AS "messageId", sequence FROM topic_deduplications
        WHERE ${ofTopic} AND digest = ANY($4::bytea[]) AND sent_ms > $5::int8`,
      ...nameOf(topic),
      blobs(digests),
      sentAfterMs,
    ),
    session.all<{ subscriptionArn: string; groupId: string }>(
      `SELECT DISTINCT subscription_arn AS "subscriptionArn", group_id AS "groupId"
         FROM undelivered
        WHERE topic_arn = $1::text AND group_id = ANY($2::text[])
          AND next_attempt_ms IS NOT NULL`,
      topicArn,
      texts(groupIds),
    ),
  ]);
  return {
    lastSequence: last[0]?.lastSequence ?? 0,
    known,
    waiting,
  };
}

/**
 * The topic's row is its lock. Another process may have published since the state was read: then
 * this publication is decided again, under what is true now.
 */
async function accept(session: Session, command: AcceptFifo): Promise<void> {
  const { topic, lastSequence, messages, forgetBeforeMs } = command;
  const name = nameOf(topic);
  const [row] = await session.all<{ lastSequence: number }>(
    `INSERT INTO topic_orders VALUES ($1::text, $2::text, $3::text, 0)
     ON CONFLICT (account_id, region, topic_name) DO UPDATE
        SET last_sequence = topic_orders.last_sequence
     RETURNING last_sequence AS "lastSequence"`,
    ...name,
  );
  if ((row?.lastSequence ?? 0) !== lastSequence) throw new DecidedOnOldState();
  const byDigest = new Map(messages.map((it) => [Buffer.from(it.digest).toString("hex"), it]));
  const remembered = [...byDigest.values()];
  await allDone([
    session.run(
      `DELETE FROM topic_deduplications USING (
         SELECT account_id, region, topic_name, digest FROM topic_deduplications
          WHERE sent_ms < $1::int8 ORDER BY sent_ms LIMIT ${forgottenAtATime}
          FOR UPDATE SKIP LOCKED) AS old
        WHERE topic_deduplications.account_id = old.account_id
          AND topic_deduplications.region = old.region
          AND topic_deduplications.topic_name = old.topic_name
          AND topic_deduplications.digest = old.digest`,
      forgetBeforeMs,
    ),
    session.run(
      `INSERT INTO topic_deduplications
       SELECT $1::text, $2::text, $3::text, it.* FROM
         unnest($4::bytea[], $5::text[], $6::int8[], $7::int8[]) AS it
       ON CONFLICT (account_id, region, topic_name, digest) DO UPDATE
          SET message_id = excluded.message_id, sequence = excluded.sequence,
              sent_ms = excluded.sent_ms`,
      ...name,
      blobs(remembered.map(({ digest }) => digest)),
      texts(remembered.map(({ messageId }) => messageId)),
      integers(remembered.map(({ sequence }) => sequence)),
      integers(remembered.map(({ sentMs }) => sentMs)),
    ),
    session.run(
      `UPDATE topic_orders SET last_sequence = $4::int8 WHERE ${ofTopic}`,
      ...name,
      messages.at(-1)?.sequence ?? lastSequence,
    ),
  ]);
}

type Row = ArchivedMessage & { readonly bytes: Uint8Array; readonly dataKeyId: string };

function archiveActs(dataKeys: DataKeys): Omit<Acts<TopicCommand | TopicQuery>, OrderKinds> {
  return {
    "sns.archive.replay": each(async (work, command) => {
      const { topic, topicArn, subscriptionArn, nowMs, messages } = command;
      await work.run(
        `INSERT INTO undelivered
           (account_id, region, subscription_arn, message_id, topic_arn, data_key_id, bytes,
            metadata, published_ms, attempts, next_attempt_ms, group_id, sequence,
            failure_code, failure_text)
         SELECT account_id, region, $4::text, message_id, $5::text, data_key_id, bytes,
                again.metadata, published_ms, 0, $6::int8, again.group_id, topic_archive.sequence,
                '', ''
           FROM unnest($7::int8[], $8::text[], $9::text[]) AS again(number, group_id, metadata)
           JOIN topic_archive ON ${ofTopic} AND topic_archive.sequence = again.number
         ON CONFLICT (account_id, region, subscription_arn, message_id) DO UPDATE
            SET metadata = excluded.metadata, attempts = 0, given_up_ms = NULL,
                next_attempt_ms = excluded.next_attempt_ms, group_id = excluded.group_id,
                sequence = excluded.sequence, failure_code = '', failure_text = ''`,
        ...nameOf(topic),
        subscriptionArn,
        topicArn,
        nowMs,
        integers(messages.map(({ sequence }) => sequence)),
        texts(messages.map(({ groupId }) => groupId)),
        texts(messages.map(({ metadata }) => metadata)),
      );
      return undefined;
    }),
    "sns.archive.put": each(async (work, { topic, message }) => {
      const { sequence, messageId, sealed, metadata, publishedMs } = message;
      await work.run(
        `INSERT INTO topic_archive VALUES
           ($1::text, $2::text, $3::text, $4::int8, $5::text, $6::text, $7::bytea, $8::text,
            $9::int8)
         ON CONFLICT (account_id, region, topic_name, sequence) DO UPDATE
            SET message_id = excluded.message_id, data_key_id = excluded.data_key_id,
                bytes = excluded.bytes, metadata = excluded.metadata,
                published_ms = excluded.published_ms`,
        ...nameOf(topic),
        sequence,
        messageId,
        sealed.dataKeyId,
        sealed.bytes,
        metadata,
        publishedMs,
      );
      return undefined;
    }),
    "sns.archive.expire": each(async (work, { topic, publishedBeforeMs, rowsMax }) => ({
      removed: await work.run(
        `DELETE FROM topic_archive WHERE ${ofTopic} AND sequence IN (
           SELECT sequence FROM topic_archive
            WHERE ${ofTopic} AND published_ms < $4::int8 LIMIT $5::int8)`,
        ...nameOf(topic),
        publishedBeforeMs,
        rowsMax,
      ),
    })),
    "sns.archive.read": together(async (work, query) => {
      const { topic, afterSequence, fromMs, toMs, limit } = query;
      const rows = await work.all<Row>(
        `SELECT sequence, message_id AS "messageId", data_key_id AS "dataKeyId", bytes, metadata,
                published_ms AS "publishedMs"
           FROM topic_archive
          WHERE ${ofTopic} AND sequence > $4::int8
            AND published_ms >= $5::int8 AND published_ms <= $6::int8
          ORDER BY sequence LIMIT $7::int8`,
        ...nameOf(topic),
        afterSequence,
        fromMs,
        toMs,
        limit,
      );
      const { accountId, region } = topic;
      const places = rows.map(({ dataKeyId: id }) => ({ accountId, region, id }));
      const keys = new Map((await dataKeys.find(work, places)).map((key) => [key.id, key]));
      return rows.flatMap(({ dataKeyId, ...row }) => {
        const dataKey = keys.get(dataKeyId);
        return dataKey === undefined ? [] : { ...row, dataKey };
      });
    }),
  };
}

function nameOf({ accountId, region, topicName }: TopicIdentity): [string, string, string] {
  return [accountId, region, topicName];
}
