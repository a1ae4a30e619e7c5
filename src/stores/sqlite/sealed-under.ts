import type { DatabaseSync } from "node:sqlite";
import type {
  CountSealedUnder,
  ListSealingKeys,
  SealedUnder,
  SealingKey,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import { unspent } from "./spent.ts";

/** Counted in the index of data keys; bodies are not read. */
export function sealedUnderActs(database: DatabaseSync): Acts<CountSealedUnder | ListSealingKeys> {
  const count = prepare<SealedUnder>(
    database,
    `SELECT queue_id AS queueId, count(*) AS messages, min(sent_ms) AS oldestSentMs
       FROM data_keys
       CROSS JOIN message_bodies AS body INDEXED BY message_bodies_by_data_key
         ON body.data_key = data_keys.number
       CROSS JOIN queue_numbers ON queue_numbers.number = body.queue
      WHERE data_keys.account_id = ? AND data_keys.region = ? AND mode = 'kms' AND key_arn = ?
        AND body.queue NOT IN (SELECT queue FROM discarded_queues) AND ${unspent}
      GROUP BY queue_id ORDER BY queue_id`,
  );
  const sealingKeys = prepare<SealingKey>(
    database,
    `SELECT DISTINCT key_arn AS keyArn, account_id AS accountId, region FROM data_keys
      WHERE mode = 'kms' ORDER BY key_arn, account_id, region`,
  );
  return {
    "sqs.sealing-keys": () => sealingKeys.all(),
    "sqs.sealed-under": ({ accountId, region, keyArn }) => count.all(accountId, region, keyArn),
  };
}
